// StreamReader: the receiving half of a connection or a pipe.
//
//   std::string line = co_await reader.readline();        // "" at the end
//   std::string head = co_await reader.readuntil("\r\n\r\n");
//   std::string body = co_await reader.readexactly(n);
//   while (auto line = co_await reader.next()) use(*line);
//
// What is received waits in a buffer of the stream. Above twice its limit nothing
// is received until reads have brought it down to the limit: the peer has to
// wait.
//
// Order: the bytes as they were sent; one read at a time. A second one while the
// first waits, or is about to go on with what it waited for, is RuntimeError.
// Errors: the loss of the connection is thrown by the read that waits and by each
// after it, also where bytes are left.
// Cancellation: a cancelled read takes no byte; the next one finds them all.
// Lifetime: a handle, move-only, null when default-constructed. An operation
// keeps what it needs: create_task(reader.readline()) may outlive it.
// Threads: the loop's. A read that has to wait is RuntimeError in a task of another
// loop, and where the loop is closed.
// Cost: a read that finds what it wants waits for nothing; none has a frame. Of
// the calls here those allocate that give a string too long to lie in itself. An
// empty buffer has no memory.
#ifndef ASYNCIO_STREAMS_STREAM_READER_H_
#define ASYNCIO_STREAMS_STREAM_READER_H_

#include <cstddef>
#include <span>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/internal/stream_buffer.h"
#include "asyncio/streams/internal/stream_operations.h"
#include "asyncio/streams/separators.h"

namespace asyncio {

// What a stream buffers before it makes its peer wait: half of it.
inline constexpr size_t kDefaultLimit = 64 * 1024;

class StreamReader {
 public:
  StreamReader() = default;
  StreamReader(StreamReader&&) noexcept = default;
  StreamReader& operator=(StreamReader&&) noexcept = default;

  // -> std::string. At least one byte and at most n, as soon as any is there;
  // empty at the end, and where n is zero. Without n, or with a negative one:
  // everything up to the end.
  internal::ReadRequest<internal::ReadStringAwaiter> read(
      ptrdiff_t n = -1) const {
    if (n < 0) return {stream_.get(), internal::ReadGoal::kAll, kWhatever};
    return {stream_.get(), internal::ReadGoal::kSome, static_cast<size_t>(n)};
  }

  // -> size_t. The same into memory of the caller's; 0 at the end. The memory
  // outlives the read, one in a task of its own until that task is done.
  internal::ReadIntoRequest read_into(std::span<std::byte> target) const {
    return {stream_.get(), target};
  }
  internal::ReadIntoRequest read_into(std::span<char> target) const {
    return {stream_.get(), std::as_writable_bytes(target)};
  }

  // -> std::string. The next line with its "\n"; what there is at the end, where
  // it has none. A line over the limit is dropped: ValueError.
  internal::ReadRequest<internal::ReadStringAwaiter> readline() const {
    return {stream_.get(), internal::ReadGoal::kLine, kWhatever};
  }

  // -> std::optional<std::string>. The same; empty at the end.
  internal::ReadRequest<internal::ReadNextAwaiter> next() const {
    return {stream_.get(), internal::ReadGoal::kLine, kWhatever};
  }

  // -> std::string of exactly n bytes. IncompleteReadError, which has what there
  // was, where the stream ends before. ValueError for a negative n.
  internal::ReadRequest<internal::ReadStringAwaiter> readexactly(
      ptrdiff_t n) const {
    if (n < 0) throw_negative_size();
    return {stream_.get(), internal::ReadGoal::kExactly,
            static_cast<size_t>(n)};
  }

  // -> std::string up to and with the separator that ends first. Nothing is taken
  // where that is over the limit: LimitOverrunError. IncompleteReadError where
  // the stream ends before. ValueError for an empty separator.
  internal::ReadUntilRequest readuntil(Separators separators = "\n") const {
    return {stream_.get(), std::move(separators)};
  }

  // Whether the stream has ended and all of it was read.
  bool at_eof() const { return stream_->buffer().at_eof(); }

  explicit operator bool() const { return static_cast<bool>(stream_); }

  // For the library.
  explicit StreamReader(internal::Ref<internal::Stream> stream)
      : stream_(std::move(stream)) {}

 private:
  // Of reads that have no number; not zero, which would end them at once.
  static constexpr size_t kWhatever = 1;
  [[noreturn]] static void throw_negative_size() {
    throw ValueError("readexactly size can not be less than zero");
  }

  internal::Ref<internal::Stream> stream_;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_STREAM_READER_H_
