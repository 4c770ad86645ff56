// The awaiters behind StreamReader and StreamWriter, and the requests that hand
// them out. A request keeps the stream; the awaiter lives in the awaiting frame,
// and so does the request, until the co_await is over: what is awaited is a
// temporary of it, or a name in its scope.
#ifndef ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_
#define ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/internal/stream_buffer.h"
#include "asyncio/streams/separators.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// Keeps a stream. Never null, so that nothing asks whether it is.
class StreamUse {
 public:
  explicit StreamUse(Stream* stream) : stream_(stream) { stream->retain(); }
  StreamUse(const StreamUse& other) : StreamUse(other.stream_) {}
  StreamUse& operator=(const StreamUse&) = delete;
  ~StreamUse() { stream_->release(); }

  Stream* get() const { return stream_; }
  Stream* operator->() const { return stream_; }
  Stream& operator*() const { return *stream_; }

 private:
  Stream* const stream_;
};

// --- Reading.

// The part of every read that does not depend on what it gives.
class ReadAwaiter : public LibraryAwaiter, public ReadWait {
 public:
  ReadAwaiter(Stream& stream, ReadGoal goal, size_t count)
      : ReadWait(goal, count), buffer_(stream.buffer()) {}

  bool await_ready() { return buffer_.ready(*this); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    buffer_.suspend(*this, caller.promise());
  }

 protected:
  ~ReadAwaiter() {
    if (begun()) [[unlikely]] buffer_.forget(*this);
  }

  StreamBuffer& buffer_;
};

class ReadStringAwaiter : public ReadAwaiter {
 public:
  using ReadAwaiter::ReadAwaiter;
  std::string await_resume() { return buffer_.take_string(*this); }
};

// An empty line is the end.
class ReadNextAwaiter final : public ReadAwaiter {
 public:
  using ReadAwaiter::ReadAwaiter;
  std::optional<std::string> await_resume() {
    std::optional<std::string> line(buffer_.take_string(*this));
    if (line->empty()) line.reset();
    return line;
  }
};

class ReadUntilAwaiter final : public ReadStringAwaiter {
 public:
  ReadUntilAwaiter(Stream& stream, const Separators& separators)
      : ReadStringAwaiter(stream, ReadGoal::kUntil, 1) {
    this->separators = &separators;
  }
  bool await_ready() {
    check_separators();
    return ReadAwaiter::await_ready();
  }

 private:
  void check_separators() const;
};

class ReadIntoAwaiter final : public ReadAwaiter {
 public:
  ReadIntoAwaiter(Stream& stream, std::span<std::byte> memory)
      : ReadAwaiter(stream, ReadGoal::kInto, memory.size()) {
    target = reinterpret_cast<char*>(memory.data());
  }

  bool await_ready() { return buffer_.ready_into(*this); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    buffer_.suspend_into(*this, caller.promise());
  }
  size_t await_resume() {
    const size_t size = buffer_.take_delivered(*this);
    return size != 0 ? size : buffer_.take_into(*this);
  }
};

template <class A>
class [[nodiscard]] ReadRequest {
 public:
  ReadRequest(Stream* stream, ReadGoal goal, size_t count)
      : stream_(stream), count_(count), goal_(goal) {}
  A operator co_await() const { return A(*stream_, goal_, count_); }

 private:
  StreamUse stream_;
  size_t count_;
  ReadGoal goal_;
};

class [[nodiscard]] ReadUntilRequest {
 public:
  ReadUntilRequest(Stream* stream, Separators separators)
      : stream_(stream), separators_(std::move(separators)) {}
  ReadUntilAwaiter operator co_await() const {
    return ReadUntilAwaiter(*stream_, separators_);
  }

 private:
  StreamUse stream_;
  Separators separators_;
};

class [[nodiscard]] ReadIntoRequest {
 public:
  ReadIntoRequest(Stream* stream, std::span<std::byte> memory)
      : stream_(stream), memory_(memory) {}
  ReadIntoAwaiter operator co_await() const {
    return ReadIntoAwaiter(*stream_, memory_);
  }

 private:
  StreamUse stream_;
  std::span<std::byte> memory_;
};

// --- Writing.

// Waits until the buffer is below the low water mark, or the connection lost.
class DrainAwaiter : public LibraryAwaiter {
 public:
  explicit DrainAwaiter(Stream& stream) : DrainAwaiter(stream, false) {}
  DrainAwaiter(const DrainAwaiter&) = delete;
  DrainAwaiter& operator=(const DrainAwaiter&) = delete;
  ~DrainAwaiter() {
    if (wait_ != kNone) [[unlikely]] end_wait();
  }

  // One that was lost is closing, too.
  bool await_ready() {
    if (stream_.transport()->is_closing() && !yielded_) [[unlikely]] {
      return begin_closing();
    }
    return !stream_.writing_paused();
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    if (wait_ == kClosing) return closing_.await_suspend(caller);
    park(caller.promise());
    return true;
  }
  void await_resume() {
    if (wait_ != kNone) [[unlikely]] finish();
  }

 protected:
  // `yielded`: it let a turn pass already where the connection is closing.
  DrainAwaiter(Stream& stream, bool yielded)
      : stream_(stream), yielded_(yielded) {}

 private:
  enum Wait : uint8_t { kNone, kParked, kClosing };

  bool begin_closing();
  void park(PromiseBase& promise);
  void finish();
  void end_wait() noexcept;

  static const WaiterKind kKind;
  Stream& stream_;
  const bool yielded_;
  Wait wait_ = kNone;
  union {
    WaitNode node_;  // of kParked
    // Of kClosing: it waits in two ways.
    CoroutineAwaiter<void> closing_;
  };
};

// Waits for connection_lost().
class WaitClosedAwaiter final : public LibraryAwaiter {
 public:
  explicit WaitClosedAwaiter(Stream& stream) : stream_(stream) {}
  WaitClosedAwaiter(const WaitClosedAwaiter&) = delete;
  WaitClosedAwaiter& operator=(const WaitClosedAwaiter&) = delete;

  bool await_ready() const { return stream_.lost(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    park(caller.promise());
  }
  void await_resume();

 private:
  void park(PromiseBase& promise);

  static const WaiterKind kKind;
  Stream& stream_;
  WaitNode node_;
};

template <class A>
class [[nodiscard]] StreamRequest {
 public:
  explicit StreamRequest(Stream* stream) : stream_(stream) {}
  A operator co_await() const { return A(*stream_); }

 private:
  StreamUse stream_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_
