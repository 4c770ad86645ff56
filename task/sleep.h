// sleep: suspends the current task for a time.
//
//   co_await sleep(1s);
//   int n = co_await sleep(50ms, 42);   // 42, later
//   co_await sleep(0s);                 // lets every other ready task run once
//
// Order: sleepers wake by deadline, equal deadlines in the order in which they
// fell asleep; never early. A delay of zero or less takes exactly one turn of the
// loop. An infinite one ends by cancellation alone.
// Errors: a NaN delay is ValueError("Invalid delay: NaN (not a number)").
// Cancellation: at once; the timer goes with the await.
// Cost: O(1), no allocation.
#ifndef ASYNCIO_TASK_SLEEP_H_
#define ASYNCIO_TASK_SLEEP_H_

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <cstring>
#include <exception>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

class SleepAwaiter : public LibraryAwaiter, public Waiter {
 public:
  explicit SleepAwaiter(Duration delay)
      : before_(delay > Duration::zero() ? -delay : Duration::zero()) {}

  bool await_ready() const { return false; }
  template <class P>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void await_suspend(
      std::coroutine_handle<P> caller) {
    PromiseBase& promise = caller.promise();
    if (before_ < Duration::zero()) {
      suspend(promise);
    } else {
      step_task()->yield(promise);
    }
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void await_resume() {
    before_ = Duration::zero();  // the timer is out: the destructor may skip it
    step_task()->check_cancelled();
  }

 protected:
  // Null, or the cancellation that ended it.
  std::exception_ptr failure() const {
    return step_task()->take_cancelled_error();
  }
  ~SleepAwaiter() {
    if (has_timer()) timer_.~Timer();
  }

 private:
  // Its turn comes first; the task's own is behind what is ready by then.
  class Timer final : public LoopTimer {
   public:
    Timer() = default;

   private:
    void run() override;
    void drop() noexcept override {}
  };
  void suspend(PromiseBase& promise);

  // From suspend() to await_resume(). The word where both begin says which: the
  // address of the timer's virtual functions is positive.
  bool has_timer() const {
    int64_t word;
    std::memcpy(&word, &before_, sizeof word);
    return word > 0;
  }

  static const WaiterKind kKind;
  union {              // right behind the Waiter: see Timer::run()
    Duration before_;  // the delay, below zero; zero for one turn
    Timer timer_;
  };
};

class SleepVoidAwaiter final : public SleepAwaiter {
 public:
  using SleepAwaiter::SleepAwaiter;
  // In place of await_resume(): does not throw.
  Result<void> take_result() const {
    std::exception_ptr e = failure();
    return e ? Result<void>(std::move(e)) : Result<void>();
  }
};

template <class T>
class SleepValueAwaiter final : public SleepAwaiter {
 public:
  SleepValueAwaiter(Duration delay, T value)
      : SleepAwaiter(delay), value_(std::move(value)) {}
  T await_resume() {
    SleepAwaiter::await_resume();
    return std::move(value_);
  }
  // In place of await_resume(): does not throw.
  Result<T> take_result() {
    std::exception_ptr e = failure();
    return e ? Result<T>(std::move(e)) : Result<T>(std::move(value_));
  }

 private:
  T value_;
};

}  // namespace internal

// What sleep() gives: to be awaited, or made a task.
class [[nodiscard]] Sleep {
 public:
  explicit Sleep(Duration delay) : delay_(delay) {}
  internal::SleepVoidAwaiter operator co_await() const {
    return internal::SleepVoidAwaiter(delay_);
  }

 private:
  Duration delay_;
};

template <class T>
class [[nodiscard]] SleepWithValue {
 public:
  SleepWithValue(Duration delay, T value)
      : delay_(delay), value_(std::move(value)) {}
  internal::SleepValueAwaiter<T> operator co_await() && {
    return internal::SleepValueAwaiter<T>(delay_, std::move(value_));
  }
  internal::SleepValueAwaiter<T> operator co_await() & {
    return internal::SleepValueAwaiter<T>(delay_, value_);
  }

 private:
  Duration delay_;
  T value_;
};

inline Sleep sleep(Duration delay) { return Sleep(delay); }
// The same: without it each await's frame would keep the Duration, too.
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> delay) {
  return Sleep(Duration(delay));
}
// A number has no unit. (Without this, sleep(1) after `using namespace asyncio` is
// the system's, which blocks the thread.)
template <class N>
  requires std::is_arithmetic_v<N>
Sleep sleep(N) {
  static_assert(!std::is_arithmetic_v<N>, "a delay has a unit: sleep(1s)");
  return Sleep(Duration());
}
// Gives `value` when the time has passed.
template <class T>
SleepWithValue<T> sleep(Duration delay, T value) {
  return SleepWithValue<T>(delay, std::move(value));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_SLEEP_H_
