// StreamBuffer: what a stream has received and nobody has read yet, its end, its
// failure, and the one read that waits for more.
//
// A read says what it needs (ReadGoal). It is looked at when bytes come, and its
// task is made ready once the goal is met or cannot be met any more: a read that
// needs many pieces is resumed once. Bytes leave the buffer when the read has
// its turn: a cancelled one takes none. Where nothing else is in the buffer, what
// comes for a read that has named its `target` goes there at once; it counts as
// the buffer's until the read's turn, and goes back where that does not come.
//
// Above twice the limit the transport is paused, unless a read waits that needs
// more; at the limit or below it is resumed.
#ifndef ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_
#define ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

#include "asyncio/base/internal/step.h"
#include "asyncio/streams/internal/byte_buffer.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
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
  size_t count = 0;                        // of kExactly, and of the target
  const Separators* separators = nullptr;  // of kUntil
  char* target = nullptr;                  // of kSome: where to put the bytes

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
  size_t delivered_ = 0;  // in the target, and not given yet
};

class StreamBuffer {
 public:
  explicit StreamBuffer(size_t limit) : limit_(limit) {}

  // --- What comes.

  void set_transport(Transport* transport) { transport_ = transport; }
  void feed_data(std::string_view data);
  void feed_eof();
  void set_exception(std::exception_ptr exception);

  bool at_eof() const { return eof_ && size() == 0; }
  bool eof() const { return eof_; }
  const std::exception_ptr& exception() const { return exception_; }
  size_t size() const {
    return bytes_.size() + (waiting_ != nullptr ? waiting_->delivered_ : 0);
  }
  size_t limit() const { return limit_; }

  // --- A read, in its task.

  // Whether it need not wait. Throws the stream's exception, and RuntimeError
  // where another one is under way.
  bool ready(ReadWait& wait);
  // Whether ready() would be false for whoever wants a byte: nobody waits, and
  // nothing has come.
  bool blank() const {
    return bytes_.empty() && waiting_ == nullptr && !eof_ && !exception_;
  }
  // After ready() was false: the frame suspends.
  void suspend(ReadWait& wait, PromiseBase& promise) {
    if (paused_) [[unlikely]] resume_paused();
    waiting_ = &wait;
    wait.state_ = ReadWait::kWaiting;
    step.task->park(promise, wait);
  }
  // First when the task goes on after suspend(). CancelledError, or the stream's
  // exception.
  void resumed(ReadWait& wait) {
    if (step.task->wait_cancelled() || wait.state_ == ReadWait::kFailed)
        [[unlikely]] {
      fail(wait);
    }
    waiting_ = nullptr;
  }
  // The wait is over in whatever way.
  void forget(ReadWait& wait) {
    if (waiting_ == &wait) [[unlikely]] abandon(wait);
  }
  // How much is in the target: the read has it from here on. Zero where it is to
  // take() what there is.
  size_t take_delivered(ReadWait& wait) {
    const size_t size = std::exchange(wait.delivered_, 0);
    if (paused_) [[unlikely]] maybe_resume();
    return size;
  }
  // What the read is to give, of at most `most` bytes for kSome; consume() takes
  // it. IncompleteReadError, LimitOverrunError; of kLine neither, but ValueError.
  std::string_view take(ReadWait& wait, size_t most);
  void consume(size_t size);

 private:
  [[gnu::noinline]] void feed_other_data(std::string_view data);
  void deliver(std::string_view& data);
  void abandon(ReadWait& wait) noexcept;
  [[noreturn]] void fail(ReadWait& wait);
  bool check(ReadWait& wait);
  bool search(ReadWait& wait);
  void wake(ReadWait::State state);
  [[noreturn]] void throw_incomplete(const ReadWait& wait);
  [[noreturn]] void throw_overrun(const ReadWait& wait);
  void maybe_resume();
  void resume_paused();

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
