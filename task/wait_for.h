// wait_for: awaits one thing for a limited time.
//
//   std::string line = co_await wait_for(reader.readline(), 5s);
//
// It gives what the awaitable gives. When the time is up, that is cancelled and
// waited for; then TimeoutError is thrown, or what it throws instead, or what
// it gives after all. A coroutine runs in the caller's task.
//
// A limit of zero or less gives the result of a future that is done; else it
// cancels at once, and a coroutine never starts. An empty limit is none.
//
// Cancellation: of the caller cancels what is awaited, unless it is in
// shield().
// Cost: one frame and one timer.
#ifndef ASYNCIO_TASK_WAIT_FOR_H_
#define ASYNCIO_TASK_WAIT_FOR_H_

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/timeout.h"
#include "asyncio/task/wait.h"

namespace asyncio {

namespace internal {

class CancelAndWaitAwaiter final : public WaitBase {
 public:
  explicit CancelAndWaitAwaiter(FutureCore& future)
      : WaitBase(WaitOptions()), future_(future) {}

  bool await_ready();
  void await_resume() { finish_wait(); }

 private:
  FutureCore& future_;
};

// Cancels a future and waits until it is done; throws nothing of it.
class CancelAndWait {
 public:
  explicit CancelAndWait(FutureCore& future) : future_(future) {}
  CancelAndWaitAwaiter operator co_await() const {
    return CancelAndWaitAwaiter(future_);
  }

 private:
  FutureCore& future_;
};

template <class T>
Coroutine<T> wait_for_none(Ref<FutureCore> future) {
  if (!future->done()) {
    co_await CancelAndWait(*future);
    // A gather() that was cancelled has failed with that.
    if (exception_cast<CancelledError>(future->outcome()) != nullptr) {
      throw TimeoutError();
    }
  }
  future->check_result();
  co_return take_value<T, true>(*future);
}

// The future itself, or a new task. Of one that is done nothing is asked but what
// it ended with, so its loop may be another.
template <class A>
Ref<FutureCore> future_to_end(A&& a) {
  if constexpr (FutureHandle<A>) {
    if (a && a.done()) return core_of(std::forward<A>(a));
  }
  return future_of(*step_task()->loop(), std::forward<A>(a));
}

template <class T, class A>
Coroutine<T> run_wait_for(A awaitable, std::optional<Duration> limit) {
  if (limit && *limit <= Duration::zero()) {
    co_return co_await wait_for_none<T>(future_to_end(std::move(awaitable)));
  }
  Timeout timer = timeout(limit);
  timer.enter();
  Result<T> result = co_await as_result(std::move(awaitable));
  timer.exit(result.exception());
  if constexpr (std::is_void_v<T>) {
    result.rethrow();
  } else {
    co_return std::move(result).value();
  }
}

}  // namespace internal

template <Runnable A>
auto wait_for(A&& awaitable, std::optional<Duration> limit) {
  using T = internal::FutureValue<A>;
  static_assert(!internal::FutureHandle<A> || !std::is_lvalue_reference_v<A> ||
                    std::is_void_v<T> || std::is_reference_v<T> ||
                    internal::kCopyable<T>,
                "a result that cannot be copied is moved out of its future, so "
                "give the handle away: std::move(task)");
  if constexpr (Awaitable<A>) {
    return internal::run_wait_for<T, std::remove_cvref_t<A>>(
        std::forward<A>(awaitable), limit);
  } else {
    auto coroutine = internal::to_coroutine(std::forward<A>(awaitable));
    return internal::run_wait_for<T, decltype(coroutine)>(std::move(coroutine),
                                                          limit);
  }
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_WAIT_FOR_H_
