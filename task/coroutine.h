// Coroutine<T>: what a coroutine function returns. Calling the function runs
// nothing; awaiting the object, or making a task of it, does.
//
//   Coroutine<int> answer() {
//     co_await sleep(1s);
//     co_return 42;
//   }
//   Coroutine<> use() {
//     int n = co_await answer();
//   }
//
// `co_await` runs it inside the current task, without a trip through the loop,
// and gives its value or throws what it threw. It can be awaited once; again is
// RuntimeError("cannot reuse already awaited coroutine").
//
// Lifetime: arguments taken by value live in the frame until it ends, or until
// the object is destroyed unrun. Take by reference only what outlives the await.
// Cost: a frame from a per-thread pool; constant stack however deep or long the
// awaits are.
#ifndef ASYNCIO_TASK_COROUTINE_H_
#define ASYNCIO_TASK_COROUTINE_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/base/internal/value_slot.h"
#include "asyncio/base/result.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

template <class T = void>
class Coroutine;

namespace internal {

template <class T>
class CoroutinePromise;

[[noreturn]] void throw_reused_coroutine();
// Reports, in debug mode, a coroutine that is dropped unrun.
void report_never_awaited(const PromiseBase& promise) noexcept;

// The value of an ended frame, and how to leave with it or with the exception.
template <class T>
class ValuePromise : public PromiseBase {
 public:
  using PromiseBase::PromiseBase;

  template <class U = T>
    requires std::is_constructible_v<T, U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }

  T take_value() { return std::move(*value_); }
  Result<T> take_result() {
    if (outcome().failed()) return Result<T>(outcome().take());
    return Result<T>(std::move(*value_));
  }

 private:
  ValueSlot<T> value_;
};

template <class T>
class ValuePromise<T&> : public PromiseBase {
 public:
  using PromiseBase::PromiseBase;

  void return_value(T& value) { value_ = std::addressof(value); }

  T& take_value() { return *value_; }
  Result<T&> take_result() {
    if (outcome().failed()) return Result<T&>(outcome().take());
    return Result<T&>(*value_);
  }

 private:
  T* value_ = nullptr;
};

template <>
class ValuePromise<void> : public PromiseBase {
 public:
  using PromiseBase::PromiseBase;

  void return_void() const noexcept {}

  void take_value() const noexcept {}
  Result<void> take_result() {
    if (outcome().failed()) return Result<void>(outcome().take());
    return {};
  }
};

template <class T>
class CoroutinePromise final : public ValuePromise<T> {
  static_assert(alignof(std::conditional_t<std::is_void_v<T>, char, T>) <=
                    2 * sizeof(void*),
                "no compiler aligns an over-aligned value in a coroutine frame");

 public:
  // The default argument is where the coroutine function itself is.
  CoroutinePromise(SourceLocation where = ASYNCIO_INTERNAL_HERE)
      : ValuePromise<T>(where) {}

  Coroutine<T> get_return_object() noexcept;
};

// Awaits a coroutine: owns its frame meanwhile.
template <class T>
class CoroutineAwaiter : public LibraryAwaiter, public FrameOwner {
 public:
  explicit CoroutineAwaiter(std::coroutine_handle<CoroutinePromise<T>> child) {
    frame = child;
  }
  CoroutineAwaiter(const CoroutineAwaiter&) = delete;
  CoroutineAwaiter& operator=(const CoroutineAwaiter&) = delete;
  ~CoroutineAwaiter() {
    if (frame) frame.destroy();
  }

  bool await_ready() const {
    if (!frame) [[unlikely]] throw_reused_coroutine();
    return false;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    // The child has no caller while the caller is below it on the stack: where it
    // ends in there, the caller goes on by returning.
    Step& now = step;
    if (!now.descend()) [[unlikely]] {
      now.next = &promise();
    } else {
      frame.resume();
      now.ascend();
      if (frame.done()) return false;
    }
    PromiseBase& child = promise();
    child.set_caller(&caller.promise());
    child.outcome().set_owner(this);
    return true;
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE T await_resume() {
    Ended ended{std::exchange(frame, nullptr)};
    if (ended.promise().outcome().failed()) [[unlikely]] {
      ended.promise().outcome().throw_taken();
    }
    return ended.promise().take_value();
  }
  // In place of await_resume(): throws nothing of the coroutine's.
  Result<T> take_result() {
    Ended ended{std::exchange(frame, nullptr)};
    return ended.promise().take_result();
  }

 private:
  struct Ended {
    ~Ended() { frame.destroy(); }
    CoroutinePromise<T>& promise() const {
      return std::coroutine_handle<CoroutinePromise<T>>::from_address(
                 frame.address())
          .promise();
    }
    std::coroutine_handle<> frame;
  };
  CoroutinePromise<T>& promise() const {
    return std::coroutine_handle<CoroutinePromise<T>>::from_address(
               frame.address())
        .promise();
  }
};

}  // namespace internal

template <class T>
class [[nodiscard]] Coroutine {
 public:
  using promise_type = internal::CoroutinePromise<T>;
  using value_type = T;

  Coroutine() = default;
  Coroutine(Coroutine&& other) noexcept
      : frame_(std::exchange(other.frame_, nullptr)) {}
  Coroutine& operator=(Coroutine&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Coroutine() {
    if (frame_) [[unlikely]] {
      internal::report_never_awaited(frame_.promise());
      frame_.destroy();
    }
  }

  // Destroys the frame, arguments included, without running it; no report. Does
  // nothing where it was awaited, made a task or closed before.
  void close() {
    if (auto frame = std::exchange(frame_, nullptr)) frame.destroy();
  }

  // Whether it is still to be run.
  explicit operator bool() const { return static_cast<bool>(frame_); }

  // Both take the frame over: a coroutine is awaited once.
  internal::CoroutineAwaiter<T> operator co_await() & {
    return internal::CoroutineAwaiter<T>(std::exchange(frame_, nullptr));
  }
  internal::CoroutineAwaiter<T> operator co_await() && {
    return internal::CoroutineAwaiter<T>(std::exchange(frame_, nullptr));
  }

  // For the library: gives the frame away.
  std::coroutine_handle<promise_type> release() {
    if (!frame_) internal::throw_reused_coroutine();
    return std::exchange(frame_, nullptr);
  }

 private:
  friend promise_type;
  explicit Coroutine(std::coroutine_handle<promise_type> frame)
      : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Coroutine<T> internal::CoroutinePromise<T>::get_return_object() noexcept {
  return Coroutine<T>(
      std::coroutine_handle<CoroutinePromise>::from_promise(*this));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_COROUTINE_H_
