// run and Runner: from a program without a loop into a coroutine and back.
//
//   Coroutine<int> amain() { ... co_return 0; }
//   int main() { return asyncio::run(amain()); }
//
// run() makes a loop, drives the main coroutine to its end, and clears up: it
// cancels the tasks that are left and waits for them, reports what they throw to
// the exception handler, and closes the loop. It returns what main gives and
// throws what main throws.
//
// Ctrl-C, in the program's first thread and where SIGINT still has its default
// action: the first cancels the main task, and run() throws KeyboardInterrupt once
// that has ended; the second throws it out of the loop at once, and so does one while
// it clears up.
#ifndef ASYNCIO_TASK_RUNNER_H_
#define ASYNCIO_TASK_RUNNER_H_

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/future.h"
#include "asyncio/task/task.h"

namespace asyncio {

// Makes a loop for a Runner; null for new_event_loop().
using LoopFactory = std::unique_ptr<EventLoop> (*)();

struct RunOptions {
  std::optional<bool> debug = {};      // empty: as the loop is made
  LoopFactory loop_factory = nullptr;
};
using RunnerOptions = RunOptions;

struct RunnerRunOptions {
  const Context* context = nullptr;    // null: the runner's own
};

namespace internal {

// Runs `loop` until `core` is done. RuntimeError("Event loop stopped before Future
// completed.") where it was stopped first.
void drive(EventLoop& loop, FutureCore& core);
// Of a main task that is nobody else's it is not reported that it was destroyed
// pending, where something left the loop before it ended.
void own_main(FutureCore& task);
// RuntimeError where `loop` is closed, or a loop runs in this thread.
void check_can_run(EventLoop& loop);

// Moves the result out of a future that nobody else needs.
template <class T>
T take_result_of(FutureCore& core) {
  core.check_result();
  if constexpr (std::is_void_v<T>) {
    return;
  } else if constexpr (std::is_reference_v<T>) {
    return value_of<T>(core);
  } else {
    return std::move(value_of<T>(core));
  }
}

}  // namespace internal

// Runs `loop` until the future, or a new task of the awaitable, is done. Gives its
// result or throws its exception. RuntimeError where a loop runs in this thread,
// or where stop() ended the loop first: the task can be driven on later.
template <Runnable A>
decltype(auto) run_until_complete(EventLoop& loop, A&& main) {
  using Value = std::remove_cvref_t<A>;
  internal::check_can_run(loop);
  if constexpr (internal::IsFuture<Value>::value) {
    using T = typename Value::value_type;
    Future<T> future = main;
    internal::drive(loop, *future.core());
    if constexpr (std::is_void_v<T> || std::is_reference_v<T> ||
                  std::is_copy_constructible_v<T>) {
      return static_cast<T>(future.result());
    } else {
      return internal::take_result_of<T>(*future.core());
    }
  } else {
    auto task = create_task(loop, std::forward<A>(main));
    internal::own_main(*task.core());
    internal::drive(loop, *task.core());
    return internal::take_result_of<typename decltype(task)::value_type>(
        *task.core());
  }
}

template <Runnable A>
internal::RunValue<A> run(A&& main, RunOptions options = {});

// A loop that several main coroutines run on, one after the other; what one leaves
// running goes on in the next. They share one context.
class Runner {
 public:
  // The loop is made by the first run() or get_loop().
  explicit Runner(RunnerOptions options = {});
  // On a loop of yours, which it takes over.
  explicit Runner(std::unique_ptr<EventLoop> loop);
  // close(); what that throws is reported to the exception handler.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // RuntimeError("Runner is closed") after close(), and where a loop runs in this
  // thread already; `main` is then left as it was.
  template <Runnable A>
  internal::RunValue<A> run(A&& main, RunnerRunOptions options = {}) {
    check_can_run("Runner.run()");
    return run_checked(std::forward<A>(main), options);
  }

  // Clears up as run() does at its end. Twice does no harm.
  void close();

  // RuntimeError("Runner is closed") after close().
  EventLoop& get_loop();

 private:
  template <Runnable A>
  friend internal::RunValue<A> run(A&& main, RunOptions options);

  template <class A>
  internal::RunValue<A> run_checked(A&& main, RunnerRunOptions options) {
    EventLoop& loop = get_loop();
    const Context* context = options.context ? options.context : &*context_;
    auto task =
        create_task(loop, std::forward<A>(main), {.context = context});
    run_main(AnyTask(task), *task.core());
    return internal::take_result_of<internal::RunValue<A>>(*task.core());
  }
  static void check_can_run(const char* what);
  void run_main(AnyTask task, internal::FutureCore& core);

  RunnerOptions options_;
  std::unique_ptr<EventLoop> loop_;
  std::optional<Context> context_;
  bool closed_ = false;
};

// RuntimeError("asyncio.run() cannot be called from a running event loop") where
// one runs in this thread; `main` is then left as it was.
template <Runnable A>
internal::RunValue<A> run(A&& main, RunOptions options) {
  using T = internal::RunValue<A>;
  Runner::check_can_run("asyncio.run()");
  Runner runner(options);
  std::exception_ptr exception;
  if constexpr (std::is_void_v<T>) {
    try {
      runner.run_checked(std::forward<A>(main), {});
    } catch (...) {
      exception = std::current_exception();
    }
    runner.close();
    if (exception) std::rethrow_exception(exception);
  } else {
    std::optional<Result<T>> result;
    try {
      result.emplace(runner.run_checked(std::forward<A>(main), {}));
    } catch (...) {
      result.emplace(std::current_exception());
    }
    runner.close();
    if constexpr (std::is_reference_v<T>) {
      return result->value();
    } else {
      return std::move(*result).value();
    }
  }
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_RUNNER_H_
