// StreamBuffer: what a stream has received and nobody has read yet, its end, its
// failure, and the one read that waits for more.
//
// A read says what it needs (ReadGoal). It is looked at when bytes come, and its
// task is made ready once the goal is met or cannot be met any more: a read that
// needs many pieces is resumed once. Bytes leave the buffer when the read has
// its turn: a cancelled one takes none.
//
// Above twice the limit the transport is paused, unless a read waits that needs
// more; at the limit or below it is resumed.
#ifndef ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_
#define ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

#include "asyncio/streams/internal/byte_buffer.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

enum class ReadGoal : uint8_t {
  kSome,     // a byte, or the end
  kExactly,  // so many bytes, or the end
  kAll,      // the end
  kLine,     // a line feed, the end, or more than the limit
  kUntil,    // a separator, the end, or more than the limit
};

// How far a read is. Part of the awaiter.
class ReadWait : public Waiter {
 public:
  explicit ReadWait(ReadGoal goal)
      : Waiter(kKinds[static_cast<size_t>(goal)]), goal(goal) {}

  const ReadGoal goal;
  size_t count = 0;                        // of kExactly
  const Separators* separators = nullptr;  // of kUntil

 protected:
  ~ReadWait() = default;

 private:
  friend class StreamBuffer;
  static const WaiterKind kKinds[5];  // by the goal
  enum State : uint8_t { kIdle, kWaiting, kWoken, kFailed };
  enum Outcome : uint8_t { kOpen, kMet, kEnded, kNotFound, kFoundTooFar };

  State state_ = kIdle;
  Outcome outcome_ = kOpen;
  // kLine, kUntil: before it no separator begins; with an outcome, where the
  // first one begins or the search stopped, and where it ends.
  size_t scanned_ = 0;
  size_t end_ = 0;
};

class StreamBuffer {
 public:
  explicit StreamBuffer(size_t limit) : limit_(limit) {}

  // --- What comes.

  void set_transport(Transport* transport) { transport_ = transport; }
  void feed_data(std::string_view data);
  void feed_eof();
  void set_exception(std::exception_ptr exception);

  bool at_eof() const { return eof_ && bytes_.empty(); }
  bool eof() const { return eof_; }
  const std::exception_ptr& exception() const { return exception_; }
  size_t size() const { return bytes_.size(); }
  size_t limit() const { return limit_; }

  // --- A read, in its task.

  // Whether it need not wait. Throws the stream's exception, and RuntimeError
  // where another one is under way.
  bool ready(ReadWait& wait);
  // After ready() was false: the frame suspends.
  void suspend(ReadWait& wait, PromiseBase& promise);
  // First when the task goes on after suspend(). CancelledError, or the stream's
  // exception.
  void resumed(ReadWait& wait);
  // The wait is over in whatever way.
  void forget(ReadWait& wait) {
    if (waiting_ == &wait) waiting_ = nullptr;
  }
  // What the read is to give, of at most `most` bytes for kSome; consume() takes
  // it. IncompleteReadError, LimitOverrunError; of kLine neither, but ValueError.
  std::string_view take(ReadWait& wait, size_t most);
  void consume(size_t size);

 private:
  bool check(ReadWait& wait);
  bool search(ReadWait& wait);
  void wake(ReadWait::State state);
  [[noreturn]] void throw_incomplete(const ReadWait& wait);
  [[noreturn]] void throw_overrun(const ReadWait& wait);
  void maybe_resume();

  ByteBuffer bytes_;
  const size_t limit_;
  std::exception_ptr exception_;
  ReadWait* waiting_ = nullptr;
  Transport* transport_ = nullptr;
  bool eof_ = false;
  bool paused_ = false;  // by this, not by others
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_
