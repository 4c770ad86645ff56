// StreamWriter: the sending half of a connection or a pipe, and its end.
//
//   writer.write("GET / HTTP/1.0\r\n\r\n");
//   co_await writer.drain();            // lets a slow peer catch up
//   writer.close();
//   co_await writer.wait_closed();
//
// write() never waits: what the kernel does not take at once is buffered. So drain()
// belongs after it: it returns at once below the high water mark (see Transport),
// and waits for the low one above it.
//
// Order: what is written arrives in the order of the calls, whichever tasks make
// them; one write never lies inside another. Any number of tasks may drain().
// Errors: drain() throws the loss of the connection; on one that was closed
// ConnectionResetError("Connection lost"). write() throws RuntimeError after
// write_eof() alone; on a lost connection it does nothing.
// Cancellation: of drain() and wait_closed(): at once; what was written is sent.
// Lifetime: a handle, move-only, null when default-constructed. Destroying it
// closes the connection: what is buffered is still sent. An operation keeps what
// it needs.
// Threads: the loop's; RuntimeError of a wait in a task of another.
// Cost: a write with an empty buffer is one send. No allocation but for the buffer,
// which an idle connection has not.
#ifndef ASYNCIO_STREAMS_STREAM_WRITER_H_
#define ASYNCIO_STREAMS_STREAM_WRITER_H_

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>
#include <sys/uio.h>
#include <utility>
#include <vector>

#include "asyncio/base/internal/ref.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/internal/stream_operations.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/transport.h"

namespace asyncio {

class StreamWriter {
 public:
  StreamWriter() = default;
  StreamWriter(StreamWriter&&) noexcept = default;
  StreamWriter& operator=(StreamWriter&& other) noexcept {
    if (this != &other) {
      reset();
      stream_ = std::move(other.stream_);
    }
    return *this;
  }
  ~StreamWriter() { reset(); }

  void write(std::string_view data) const { transport().write(data); }
  void write(std::span<const std::byte> data) const {
    transport().write({reinterpret_cast<const char*>(data.data()), data.size()});
  }
  // Strings or whatever converts to a std::string_view, in one call of the kernel
  // where that takes them.
  template <class Range>
  void writelines(const Range& range) const {
    if constexpr (requires { std::size(range); }) {
      if (std::size(range) <= kFewParts) [[likely]] {
        iovec parts[kFewParts];
        size_t count = 0;
        for (const auto& element : range) {
          parts[count++] = part(std::string_view(element));
        }
        transport().writelines({parts, count});
        return;
      }
    }
    std::vector<iovec> parts;
    for (const auto& element : range) {
      parts.push_back(part(std::string_view(element)));
    }
    transport().writelines(parts);
  }
  void writelines(std::initializer_list<std::string_view> strings) const {
    writelines<std::initializer_list<std::string_view>>(strings);
  }

  // -> void
  internal::StreamRequest<internal::DrainAwaiter> drain() const {
    return internal::StreamRequest<internal::DrainAwaiter>(stream_.get());
  }

  // The peer sees the end of the stream after what was written; it can still
  // send.
  void write_eof() const { transport().write_eof(); }
  bool can_write_eof() const { return transport().can_write_eof(); }

  // Sends what is buffered, then closes; the reader sees the end.
  void close() const { transport().close(); }
  bool is_closing() const { return transport().is_closing(); }
  // -> void, when the connection is closed. Throws what it was lost by. May wait
  // for ever where the peer neither reads nor closes: transport().abort().
  internal::StreamRequest<internal::WaitClosedAwaiter> wait_closed() const {
    return internal::StreamRequest<internal::WaitClosedAwaiter>(stream_.get());
  }

  SocketAddress peername() const { return transport().peername(); }
  SocketAddress sockname() const { return transport().sockname(); }
  Transport& transport() const { return *stream_->transport(); }

  explicit operator bool() const { return static_cast<bool>(stream_); }

  // For the library.
  explicit StreamWriter(internal::Ref<internal::Stream> stream)
      : stream_(std::move(stream)) {}
  const internal::Ref<internal::Stream>& stream() const { return stream_; }

 private:
  static constexpr size_t kFewParts = 16;  // for which nothing is allocated
  static iovec part(std::string_view data) {
    return {const_cast<char*>(data.data()), data.size()};
  }

  void reset() {
    if (!stream_) return;
    stream_->transport()->close_unchecked();
    stream_ = nullptr;
  }

  internal::Ref<internal::Stream> stream_;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_STREAM_WRITER_H_
