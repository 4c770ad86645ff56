// ConcurrentFuture: a future for threads, and the two ways between it and a
// loop: run_coroutine_threadsafe and wrap_future.
//
//   ConcurrentFuture<int> f = run_coroutine_threadsafe(fetch(), loop);
//   int n = f.result(5s);                   // in a thread: blocks
//
//   int m = co_await wrap_future(f);        // in another loop
//
// Cancellation: cancel() ends it with CancelledError and asks what it stands
// for to stop. One whose loop is closed or destroyed before the task has ended
// is cancelled: nobody waits for ever.
#ifndef ASYNCIO_TASK_CONCURRENT_FUTURE_H_
#define ASYNCIO_TASK_CONCURRENT_FUTURE_H_

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/concurrent_state.h"
#include "asyncio/task/internal/thread_domain.h"
#include "asyncio/task/task.h"

namespace asyncio {

// A handle. Threads: any, copies too.
template <class T = void>
class ConcurrentFuture {
  using State = internal::ConcurrentState<T>;
  static constexpr bool kMovedOut =
      !std::is_void_v<T> && !std::is_reference_v<T> && !internal::kCopyable<T>;

 public:
  using value_type = T;

  // One that nothing but cancel() ends.
  ConcurrentFuture() : ConcurrentFuture(std::make_shared<State>(nullptr)) {}

  // Blocks until it is done, at most `timeout`; then the result, or throws
  // TimeoutError, CancelledError or the exception. A result that cannot be
  // copied is moved out of an rvalue: std::move(f).result().
  // Threads: never the loop's own, where nothing could end it.
  std::conditional_t<kMovedOut, std::add_lvalue_reference_t<const T>, T> result(
      std::optional<Duration> timeout = {}) const& {
    wait(timeout);
    if constexpr (!std::is_void_v<T>) return state_->value();
  }
  T result(std::optional<Duration> timeout = {}) && {
    wait(timeout);
    if constexpr (kMovedOut) {
      return std::move(state_->value());
    } else if constexpr (!std::is_void_v<T>) {
      return state_->value();
    }
  }
  // Waits as result() does; null where it ended well.
  std::exception_ptr exception(std::optional<Duration> timeout = {}) const {
    state_->wait(timeout);
    std::exception_ptr exception = state_->failure();
    if (state_->cancelled()) std::rethrow_exception(exception);
    return exception;
  }
  bool done() const { return state_->done(); }
  bool cancelled() const { return state_->cancelled(); }
  // False where it ended otherwise before.
  bool cancel() const { return state_->cancel(); }

  // For the library.
  explicit ConcurrentFuture(std::shared_ptr<State> state)
      : state_(std::move(state)) {}
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  void wait(std::optional<Duration> timeout) const {
    state_->wait(timeout);
    if (std::exception_ptr e = state_->failure()) std::rethrow_exception(e);
  }

  std::shared_ptr<State> state_;
};

namespace internal {

// Ends `target` as the task, which is done, ended. The loop's thread. Nobody
// else looks at the task's result.
template <class T>
void copy_outcome(FutureCore& task, ConcurrentState<T>& target) {
  if (std::exception_ptr exception = task.outcome()) {
    if (task.cancelled()) {
      target.fail_cancelled(std::move(exception));
    } else {
      target.fail(std::move(exception));
    }
  } else if constexpr (std::is_void_v<T>) {
    target.finish();
  } else if constexpr (std::is_reference_v<T>) {
    target.finish(value_of<T>(task));
  } else {
    target.finish(std::move(value_of<T>(task)));
  }
}

// The other way: ends `target`, which is pending, as `source` ended.
template <class T>
void copy_outcome(ConcurrentState<T>& source, FutureState<T>& target) {
  if (source.cancelled()) {
    target.cancel({});
    return;
  }
  std::exception_ptr exception = source.failure();
  if constexpr (!std::is_void_v<T>) {
    if (!exception) {
      try {
        if constexpr (std::is_reference_v<T> || kCopyable<T>) {
          target.emplace(source.value());
        } else {
          target.emplace(std::move(source.value()));
        }
      } catch (...) {
        exception = std::current_exception();
      }
    }
  }
  if (exception) {
    target.fail(std::move(exception));
  } else {
    target.finish();
  }
}

}  // namespace internal

// Makes a task of the coroutine in `loop`, which another thread runs.
// Cancelling what it returns cancels the task.
// Errors: RuntimeError("Event loop is closed"); the coroutine is closed then.
// Threads: any.
template <Runnable A>
auto run_coroutine_threadsafe(A&& awaitable, EventLoop& loop) {
  using T = internal::RunValue<A>;
  Coroutine<T> coroutine = internal::to_coroutine(std::forward<A>(awaitable));
  if (loop.is_closed()) {
    coroutine.close();
    throw RuntimeError("Event loop is closed");
  }
  auto state = std::make_shared<internal::ConcurrentState<T>>(&loop);
  auto link = std::make_shared<internal::LoopLink>(state);
  state->add_callback([link, state = state.get()] {
    if (!state->cancelled()) return;
    link->post([link] {
      if (link->core() != nullptr) link->core()->cancel({});
    });
  });
  loop.call_soon_threadsafe([&loop, state, link,
                             end = internal::LoopLinkEnd(link),
                             coroutine = std::move(coroutine)]() mutable {
    Task<T> task;
    try {
      task = create_task(loop, std::move(coroutine));
    } catch (...) {
      state->fail(std::current_exception());
      throw;
    }
    link->open(loop, *task.core());
    task.add_done_callback([state, end = std::move(end)](Task<T> done) {
      internal::copy_outcome<T>(*done.core(), *state);
    });
    // Cancelled before there was a task to be told: as in Python it takes its first
    // step before it is.
    if (state->cancelled()) loop.call_soon([task] { task.cancel(); });
  });
  // Closed meanwhile: it may never look at what it was given.
  if (loop.is_closed()) state->cancel();
  return ConcurrentFuture<T>(std::move(state));
}

// A future of the running loop that ends as `concurrent` does. Cancelling it
// cancels `concurrent`.
template <class T>
Future<T> wrap_future(ConcurrentFuture<T> concurrent) {
  EventLoop& loop = get_running_loop();
  Future<T> future = create_future<T>(loop);
  auto link = std::make_shared<internal::LoopLink>();
  link->open(loop, *future.core());
  future.add_done_callback(
      [concurrent, end = internal::LoopLinkEnd(link)](Future<T> done) {
        if (done.cancelled()) concurrent.cancel();
      });
  std::weak_ptr<internal::ConcurrentState<T>> source = concurrent.state();
  concurrent.state()->add_callback([link, source] {
    link->post([link, state = source.lock()] {
      internal::FutureCore* core = link->core();
      if (core == nullptr || core->done()) return;
      internal::copy_outcome<T>(*state,
                                static_cast<internal::FutureState<T>&>(*core));
    });
  });
  return future;
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_CONCURRENT_FUTURE_H_
