// The awaiters behind StreamReader and StreamWriter, and what hands them out.
// Each keeps the stream, and lives in the awaiting frame.
#ifndef ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_
#define ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_

#include <coroutine>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/internal/stream_buffer.h"
#include "asyncio/streams/separators.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// --- Reading.

// The part of every read that does not depend on what it gives.
class ReadAwaiter : public LibraryAwaiter, public ReadWait {
 public:
  ReadAwaiter(Ref<Stream> stream, ReadGoal goal, size_t count)
      : ReadWait(goal), stream_(std::move(stream)) {
    this->count = count;
  }

  // A read of no bytes never waits.
  bool await_ready() {
    if (count == 0) [[unlikely]] return check_exception();
    StreamBuffer& buffer = stream_->buffer();
    // The next message of a connection that has read the one before.
    if (goal == ReadGoal::kSome && buffer.blank()) [[likely]] return false;
    return buffer.ready(*this);
  }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspended_ = true;
    stream_->buffer().suspend(*this, caller.promise());
  }

 protected:
  ~ReadAwaiter() {
    if (suspended_) stream_->buffer().forget(*this);
  }
  std::string_view begin_take() {
    if (count == 0) [[unlikely]] return {};
    StreamBuffer& buffer = stream_->buffer();
    if (suspended_) buffer.resumed(*this);
    suspended_ = false;
    return buffer.take(*this, count);
  }
  // What was put into the target while it waited; zero where nothing was.
  size_t take_delivered() {
    if (!suspended_) return 0;
    stream_->buffer().resumed(*this);
    suspended_ = false;
    return stream_->buffer().take_delivered(*this);
  }
  void end_take(size_t size) { stream_->buffer().consume(size); }

 private:
  bool check_exception();

  Ref<Stream> stream_;
  bool suspended_ = false;
};

class ReadStringAwaiter : public ReadAwaiter {
 public:
  using ReadAwaiter::ReadAwaiter;
  std::string await_resume() {
    std::string data(begin_take());
    end_take(data.size());
    return data;
  }
};

// An empty line is the end.
class ReadNextAwaiter final : public ReadAwaiter {
 public:
  using ReadAwaiter::ReadAwaiter;
  std::optional<std::string> await_resume() {
    std::optional<std::string> line;
    const std::string_view data = begin_take();
    if (data.empty()) return line;
    line.emplace(data);
    end_take(line->size());
    return line;
  }
};

class ReadUntilAwaiter final : public ReadStringAwaiter {
 public:
  ReadUntilAwaiter(Ref<Stream> stream, Separators separators)
      : ReadStringAwaiter(std::move(stream), ReadGoal::kUntil, 1),
        separators_(std::move(separators)) {
    this->separators = &separators_;
  }
  bool await_ready() {
    check_separators();
    return ReadAwaiter::await_ready();
  }

 private:
  void check_separators() const;

  Separators separators_;
};

class ReadIntoAwaiter final : public ReadAwaiter {
 public:
  ReadIntoAwaiter(Ref<Stream> stream, std::span<std::byte> target)
      : ReadAwaiter(std::move(stream), ReadGoal::kSome, target.size()) {
    this->target = reinterpret_cast<char*>(target.data());
  }
  size_t await_resume() {
    if (const size_t size = take_delivered(); size != 0) [[likely]] return size;
    const std::string_view data = begin_take();
    const size_t size = data.size();
    if (size != 0) std::memcpy(target, data.data(), size);
    end_take(size);
    return size;
  }
};

template <class A>
class [[nodiscard]] ReadRequest {
 public:
  ReadRequest(Ref<Stream> stream, ReadGoal goal, size_t count)
      : stream_(std::move(stream)), goal_(goal), count_(count) {}
  A operator co_await() && { return A(std::move(stream_), goal_, count_); }
  A operator co_await() & { return A(stream_, goal_, count_); }

 private:
  Ref<Stream> stream_;
  ReadGoal goal_;
  size_t count_;
};

class [[nodiscard]] ReadUntilRequest {
 public:
  ReadUntilRequest(Ref<Stream> stream, Separators separators)
      : stream_(std::move(stream)), separators_(std::move(separators)) {}
  ReadUntilAwaiter operator co_await() && {
    return ReadUntilAwaiter(std::move(stream_), std::move(separators_));
  }
  ReadUntilAwaiter operator co_await() & {
    return ReadUntilAwaiter(stream_, separators_);
  }

 private:
  Ref<Stream> stream_;
  Separators separators_;
};

class [[nodiscard]] ReadIntoRequest {
 public:
  ReadIntoRequest(Ref<Stream> stream, std::span<std::byte> target)
      : stream_(std::move(stream)), target_(target) {}
  ReadIntoAwaiter operator co_await() && {
    return ReadIntoAwaiter(std::move(stream_), target_);
  }
  ReadIntoAwaiter operator co_await() & {
    return ReadIntoAwaiter(stream_, target_);
  }

 private:
  Ref<Stream> stream_;
  std::span<std::byte> target_;
};

// --- Writing.

// Waits until the buffer is below the low water mark, or the connection lost.
class DrainAwaiter : public LibraryAwaiter {
 public:
  explicit DrainAwaiter(Ref<Stream> stream)
      : DrainAwaiter(std::move(stream), false) {}
  DrainAwaiter(const DrainAwaiter&) = delete;
  DrainAwaiter& operator=(const DrainAwaiter&) = delete;

  bool await_ready() {
    Stream& stream = *stream_;
    if (!yielded_ && (stream.buffer().exception() ||
                      stream.transport()->is_closing())) [[unlikely]] {
      return begin_closing();
    }
    return !stream.writing_paused();
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    if (closing_) return closing_->await_suspend(caller);
    park(caller.promise());
    return true;
  }
  void await_resume() {
    if (closing_) [[unlikely]] {
      closing_->await_resume();
    } else if (node_.waits()) {
      finish();
    }
  }

 protected:
  // `yielded`: it let a turn pass already where the connection is closing.
  DrainAwaiter(Ref<Stream> stream, bool yielded)
      : stream_(std::move(stream)), yielded_(yielded) {}

 private:
  bool begin_closing();
  void park(PromiseBase& promise);
  void finish();

  static const WaiterKind kKind;
  Ref<Stream> stream_;
  const bool yielded_;
  WaitNode node_;
  // Of a connection that is closing: it waits in two ways.
  std::optional<CoroutineAwaiter<void>> closing_;
};

// Waits for connection_lost().
class WaitClosedAwaiter final : public LibraryAwaiter {
 public:
  explicit WaitClosedAwaiter(Ref<Stream> stream) : stream_(std::move(stream)) {}
  WaitClosedAwaiter(const WaitClosedAwaiter&) = delete;
  WaitClosedAwaiter& operator=(const WaitClosedAwaiter&) = delete;

  bool await_ready() const { return stream_->lost(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    stream_->closed_waiters().park(node_, kKind, caller.promise());
  }
  void await_resume();

 private:
  static const WaiterKind kKind;
  Ref<Stream> stream_;
  WaitNode node_;
};

template <class A>
class [[nodiscard]] StreamRequest {
 public:
  explicit StreamRequest(Ref<Stream> stream) : stream_(std::move(stream)) {}
  A operator co_await() && { return A(std::move(stream_)); }
  A operator co_await() & { return A(stream_); }

 private:
  Ref<Stream> stream_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_STREAM_OPERATIONS_H_
