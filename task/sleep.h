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

#include <coroutine>
#include <utility>

#include "asyncio/base/time.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

class SleepAwaiter : public LibraryAwaiter,
                     public Waiter,
                     private LoopTimer {
 public:
  explicit SleepAwaiter(Duration delay) : Waiter(kKind), delay_(delay) {}

  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    PromiseBase& promise = caller.promise();
    if (delay_ <= Duration::zero()) {
      step.task->yield(promise);
    } else {
      suspend(promise);
    }
  }
  void await_resume() const { step.task->check_cancelled(); }

 protected:
  ~SleepAwaiter() = default;

 private:
  void suspend(PromiseBase& promise);
  // The timer's turn: the task's own comes behind what is ready by then.
  void run() override;
  void drop() noexcept override {}

  static const WaiterKind kKind;
  Duration delay_;
};

class SleepVoidAwaiter final : public SleepAwaiter {
 public:
  using SleepAwaiter::SleepAwaiter;
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
// Gives `value` when the time has passed.
template <class T>
SleepWithValue<T> sleep(Duration delay, T value) {
  return SleepWithValue<T>(delay, std::move(value));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_SLEEP_H_
