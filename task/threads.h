// Calls on other threads: run_in_executor and to_thread.
//
//   int n = co_await to_thread(count_words, text);       // the loop goes on
//
//   ThreadPoolExecutor pool(4);
//   Future<std::string> page = run_in_executor(&pool, read_file, path);
//
// The way back, from a thread into a loop, is in concurrent_future.h.
//
// Cancellation: of a call that waits for a thread takes it out: it never
// starts, and its callable is destroyed in the loop's next turn. One that has
// started runs on, and its result is dropped.
// Lifetime: arguments are copied as std::thread copies them, and destroyed on
// the thread before the future is done. run() waits for the calls on the default
// executor before it returns; a loop that is destroyed waits for them, too, but
// nobody is told how they end. Another executor must outlive what was given to
// it.
// Threads: of the loop, all of it.
#ifndef ASYNCIO_TASK_THREADS_H_
#define ASYNCIO_TASK_THREADS_H_

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/concurrent_future.h"  // IWYU pragma: export
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/thread_domain.h"

namespace asyncio {

namespace internal {

template <class R, class F>
class BoundThreadCall final : public ThreadCall {
 public:
  BoundThreadCall(EventLoop& loop, Ref<FutureCore> future, F fn)
      : ThreadCall(loop, std::move(future)), fn_(std::move(fn)) {}

 private:
  void invoke() noexcept override {
    try {
      if constexpr (std::is_void_v<R>) {
        (*fn_)();
        result_.emplace();
      } else {
        result_.emplace((*fn_)());
      }
    } catch (...) {
      result_.emplace(std::current_exception());
    }
    fn_.reset();
  }
  void deliver(FutureCore& future) override {
    if (!result_) {
      future.cancel({});
      return;
    }
    std::exception_ptr exception = result_->exception();
    if constexpr (!std::is_void_v<R>) {
      if (!exception) {
        try {
          static_cast<FutureState<R>&>(future).emplace(**std::move(result_));
        } catch (...) {
          exception = std::current_exception();
        }
      }
    }
    if (exception) {
      future.fail(std::move(exception));
    } else {
      future.finish();
    }
  }
  void forget() noexcept override {
    fn_.reset();
    result_.reset();
  }

  std::optional<F> fn_;
  std::optional<Result<R>> result_;
};

// std::thread's way of keeping a call.
template <class F, class... Args>
auto bind_call(F&& fn, Args&&... args) {
  return [call = std::tuple<std::decay_t<F>, std::decay_t<Args>...>(
              std::forward<F>(fn),
              std::forward<Args>(args)...)]() mutable -> decltype(auto) {
    return std::apply(
        [](auto&&... parts) -> decltype(auto) {
          return std::invoke(std::forward<decltype(parts)>(parts)...);
        },
        std::move(call));
  };
}

// What the future of such a call gives.
template <class R>
struct ThreadResultOf {
  using type = std::remove_cv_t<R>;
};
template <class R>
struct ThreadResultOf<R&> {
  using type = R&;
};
template <class R>
struct ThreadResultOf<R&&> {
  using type = std::remove_cv_t<R>;
};
template <class F, class... Args>
using ThreadResult = typename ThreadResultOf<
    std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>::type;

template <class R, class F>
Future<R> start_thread_call(EventLoop& loop, Executor* executor, F call) {
  Future<R> future = create_future<R>(loop);
  std::make_shared<BoundThreadCall<R, F>>(loop, Ref<FutureCore>(future.core()),
                                          std::move(call))
      ->start(executor);
  return future;
}

template <class R, class F>
Coroutine<R> run_to_thread(F call) {
  auto in_context = [context = copy_context(),
                     call = std::move(call)]() mutable -> R {
    return context.run(std::move(call));
  };
  auto future =
      start_thread_call<R>(get_running_loop(), nullptr, std::move(in_context));
  co_return co_await std::move(future);
}

}  // namespace internal

// Calls fn(args...) on a thread of `executor`, or of the loop's default
// executor where it is null. What it throws, the future throws.
// Errors: RuntimeError("Executor shutdown has been called") after
// shutdown_default_executor().
template <class F, class... Args>
auto run_in_executor(EventLoop& loop, Executor* executor, F&& fn,
                     Args&&... args) {
  internal::LoopAccess::check_usable(loop);
  return internal::start_thread_call<internal::ThreadResult<F, Args...>>(
      loop, executor,
      internal::bind_call(std::forward<F>(fn), std::forward<Args>(args)...));
}
template <class F, class... Args>
auto run_in_executor(Executor* executor, F&& fn, Args&&... args) {
  return run_in_executor(get_running_loop(), executor, std::forward<F>(fn),
                         std::forward<Args>(args)...);
}
template <class F, class... Args>
auto run_in_executor(std::nullptr_t, F&& fn, Args&&... args) {
  return run_in_executor(get_running_loop(), static_cast<Executor*>(nullptr),
                         std::forward<F>(fn), std::forward<Args>(args)...);
}

// The same on the default executor, in a copy of the running context. Starts
// when it is awaited.
template <class F, class... Args>
auto to_thread(F&& fn, Args&&... args) {
  return internal::run_to_thread<internal::ThreadResult<F, Args...>>(
      internal::bind_call(std::forward<F>(fn), std::forward<Args>(args)...));
}

// Replaces the loop's default executor, which is a ThreadPoolExecutor made when
// it is first needed. What the old one has still to do, it does.
void set_default_executor(EventLoop& loop, std::unique_ptr<Executor> executor);

// Waits until the calls of the running loop's default executor have ended and
// joins its threads; it takes no more. After `timeout` it says so on standard
// error and leaves them.
Coroutine<> shutdown_default_executor(std::optional<Duration> timeout = {});

}  // namespace asyncio

#endif  // ASYNCIO_TASK_THREADS_H_
