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
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "absl/base/macros.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/byte_buffer.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

enum class ReadGoal : uint8_t {
  kSome,     // a byte, or the end
  kInto,     // the same, put into memory of the reader's
  kExactly,  // so many bytes, or the end
  kAll,      // the end
  kLine,     // a line feed, the end, or more than the limit
  kUntil,    // a separator, the end, or more than the limit
};

// What a read wants, and how far it is. Part of the awaiter.
class ReadWait : public Waiter {
 public:
  ReadWait(ReadGoal goal, size_t count) : count(count), goal(goal) {
    set_kind(kKinds[static_cast<size_t>(goal)]);
  }

  const size_t count;            // of kSome, kInto: at most; of kExactly
  char* target;                  // of kInto
  const Separators* separators;  // of kUntil
  const ReadGoal goal;

 protected:
  ~ReadWait() = default;
  bool begun() const { return state_ != kIdle; }

 private:
  friend class StreamBuffer;
  static const WaiterKind kKinds[6];  // by the goal
  // Of the two that wait, kDirect takes what comes into its target.
  enum State : uint8_t { kIdle, kOpen, kDirect, kWoken, kFailed };
  enum Outcome : uint8_t { kMet, kEnded, kNotFound, kFoundTooFar };

  bool wants_any() const { return goal <= ReadGoal::kInto; }
  bool waits() const { return state_ == kOpen || state_ == kDirect; }
  // kMet, with so many bytes to give.
  bool meet(size_t size) {
    end_ = size;
    outcome_ = kMet;
    return true;
  }

  State state_ = kIdle;
  Outcome outcome_;  // set when it can end
  // From here on set when it begins.
  size_t delivered_;  // in the target, and not given yet
  // kLine, kUntil: before it no separator begins; with an outcome, where the
  // first one begins or the search stopped.
  size_t scanned_;
  size_t end_;  // of kMet, but where it wants any; of kFoundTooFar
};

class StreamBuffer {
 public:
  StreamBuffer(EventLoop& loop, size_t limit) : loop_(&loop), limit_(limit) {}

  // --- What comes.

  void set_transport(Transport* transport) { transport_ = transport; }
  void feed_data(std::string_view data) {
    ReadWait* const wait = waiting_;
    // The next message of a connection that waits for it. There is nothing in the
    // buffer where one waits with a target.
    if (wait != nullptr && wait->state_ == ReadWait::kDirect &&
        data.size() - 1 < wait->count && wait->task()->wake()) [[likely]] {
      wait->state_ = ReadWait::kWoken;
      deliver(*wait, 0, data);
      return;
    }
    feed_other_data(data);
  }
  void feed_eof();
  void set_exception(std::exception_ptr exception);
  // Nothing will come: no read can wait any more.
  void loop_closed() { loop_ = nullptr; }

  bool at_eof() const { return eof_ && size() == 0; }
  bool eof() const { return eof_; }
  const std::exception_ptr& exception() const { return exception_; }
  size_t size() const {
    return bytes_.size() + (waiting_ != nullptr ? waiting_->delivered_ : 0);
  }
  size_t limit() const { return limit_; }

  // --- A read, in its task.

  // First. Whether it need not wait. Throws the stream's exception, and
  // RuntimeError where another one is under way.
  bool ready(ReadWait& wait);
  // After ready() was false: the frame suspends. RuntimeError in a task of another
  // loop.
  void suspend(ReadWait& wait, PromiseBase& promise) {
    check_loop();
    if (paused_) [[unlikely]] resume_paused();
    park(wait, ReadWait::kOpen, promise);
  }
  // Both of kInto.
  bool ready_into(ReadWait& wait) {
    wait.delivered_ = 0;
    // The next message of a connection that has read the one before.
    if (bytes_.empty() && waiting_ == nullptr && !ended_ && wait.count != 0)
        [[likely]] {
      return false;
    }
    return ready_otherwise(wait);
  }
  void suspend_into(ReadWait& wait, PromiseBase& promise) {
    ABSL_ASSERT(!paused_ && "by an empty buffer");
    check_loop();
    park(wait, ReadWait::kDirect, promise);
  }
  // First when the task goes on after suspend(). CancelledError, or the stream's
  // exception.
  void resumed(ReadWait& wait) {
    if (step_task()->wait_cancelled() || wait.state_ == ReadWait::kFailed)
        [[unlikely]] {
      fail(wait);
    }
    waiting_ = nullptr;
    wait.state_ = ReadWait::kIdle;
  }
  // In the place of resumed(): how much is in the target. Zero where there is
  // something else to be done.
  size_t take_delivered(ReadWait& wait) {
    const size_t size = wait.delivered_;
    if (size == 0 || step_task()->wait_cancelled()) [[unlikely]] return 0;
    waiting_ = nullptr;
    wait.state_ = ReadWait::kIdle;
    if (paused_) [[unlikely]] maybe_resume();
    return size;
  }
  // The wait is over in whatever way.
  void forget(ReadWait& wait) noexcept {
    if (waiting_ == &wait) abandon(wait);
  }
  // What the read gives, after resumed() where it waited. IncompleteReadError,
  // LimitOverrunError; of kLine neither, but ValueError.
  std::string take_string(ReadWait& wait);
  // Of kInto: into its target.
  size_t take_into(ReadWait& wait);

 private:
  void check_loop() const {
    if (step_task()->loop() != loop_) [[unlikely]] throw_wrong_loop();
  }
  [[noreturn, gnu::noinline]] void throw_wrong_loop() const;
  void park(ReadWait& wait, ReadWait::State state, PromiseBase& promise) {
    waiting_ = &wait;
    wait.state_ = state;
    step_task()->park(promise, wait);
  }
  [[gnu::noinline]] bool ready_otherwise(ReadWait& wait);
  [[gnu::noinline]] void feed_other_data(std::string_view data);
  static void deliver(ReadWait& wait, size_t at, std::string_view data);
  size_t take_size(ReadWait& wait);
  [[gnu::noinline]] size_t ended_size(ReadWait& wait);
  void consume(size_t size) {
    bytes_.consume(size);
    if (waiting_ != nullptr || paused_) [[unlikely]] consumed(size);
  }
  [[gnu::noinline]] void consumed(size_t size);
  void abandon(ReadWait& wait) noexcept;
  [[noreturn]] void fail(ReadWait& wait);
  bool check(ReadWait& wait);
  bool met(ReadWait& wait);
  [[gnu::noinline]] bool search_line(ReadWait& wait);
  [[gnu::noinline]] bool search(ReadWait& wait);
  bool found(ReadWait& wait, size_t start, size_t separator) const;
  bool not_found(ReadWait& wait, size_t longest) const;
  void wake(ReadWait::State state);
  [[noreturn]] void throw_incomplete(const ReadWait& wait);
  [[noreturn]] void throw_overrun(const ReadWait& wait);
  void maybe_resume();
  void resume_paused();

  // Null once it is closed, so that no later loop is taken for it.
  EventLoop* loop_;
  ByteBuffer bytes_;
  const size_t limit_;
  std::exception_ptr exception_;
  ReadWait* waiting_ = nullptr;
  Transport* transport_ = nullptr;
  bool eof_ = false;
  bool ended_ = false;   // eof_, or with an exception
  bool paused_ = false;  // by this, not by others
};

// Behind the first `at` bytes of the target, which it has already.
inline void StreamBuffer::deliver(ReadWait& wait, size_t at,
                                  std::string_view data) {
  wait.delivered_ = at + data.size();
  std::memcpy(wait.target + at, data.data(), data.size());
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_STREAM_BUFFER_H_
