// Task<T>: a coroutine that runs by itself, concurrently with whoever made it.
//
//   Task<int> task = create_task(fetch(url), {.name = "fetch"});
//   ...
//   int n = co_await task;            // or task.cancel();
//
// A Task is a Future that its coroutine resolves. The loop keeps a running task
// alive, whatever becomes of the handles.
//
// Order: the first step is taken in the loop's next turn, tasks in the order in
// which they were made; with `eager_start` inside create_task().
// Cancellation: cancel() asks; CancelledError is thrown at the await where the
// task waits, in the loop's next turn. The task may clean up, await while it does,
// or refuse. Each request is counted: see cancelling() and uncancel(). A task that
// is cancelled before its first step never runs; its arguments are destroyed.
// Cost: one block from the pool besides the coroutine's own frame.
#ifndef ASYNCIO_TASK_TASK_H_
#define ASYNCIO_TASK_TASK_H_

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

struct TaskOptions {
  std::string_view name = {};           // empty: "Task-N"
  const Context* context = nullptr;     // null: a copy of the running one
  std::optional<bool> eager_start = {}; // empty: as the loop's task factory says
};

// Edits the options of each new task of a loop.
using TaskFactory = std::function<void(EventLoop&, TaskOptions&)>;

template <class T>
class Task : public Future<T> {
 public:
  Task() = default;

  // A task's result comes from its coroutine alone.
  template <class... Args>
  void set_result(Args&&...) const = delete;
  template <class E>
  void set_exception(E&&) const = delete;

  std::string get_name() const { return task().name(); }
  void set_name(std::string name) const { task().set_name(std::move(name)); }
  // How many requests to cancel it are not taken back yet.
  int cancelling() const { return task().cancelling(); }
  // Takes one request back, returns how many are left. At none, a cancellation
  // that is not delivered yet is withdrawn.
  int uncancel() const { return task().uncancel(); }
  Context get_context() const {
    return Context(task().task_context()->materialize());
  }
  // Where it is suspended, outermost frame first; empty while it runs or is done.
  std::vector<FrameSummary> get_stack() const { return task().stack(); }
  void print_stack(std::ostream& out) const;

  template <class F>
  CallbackId add_done_callback(F fn, CallbackOptions options = {}) const {
    return this->template add_callback_as<Task<T>>(std::move(fn), options);
  }

  // For the library.
  explicit Task(internal::Ref<internal::FutureCore> core)
      : Future<T>(std::move(core)) {}

 private:
  internal::TaskCore& task() const {
    return static_cast<internal::TaskCore&>(*this->core_);
  }
};

namespace internal {

template <class T>
class TaskState final : public TaskValue<T> {
 public:
  using TaskValue<T>::TaskValue;

 private:
  // The same as the one above, without a virtual destructor's call; and without a
  // destructor at all where it would do nothing.
  void dispose() override {
    constexpr bool kNothing =
        std::is_void_v<T> || std::is_trivially_destructible_v<T>;
    if (kNothing && this->plain()) {
      LoopAccess::release(*this->loop());
      FramePool::deallocate(this, sizeof *this);
    } else if (!this->unretrieved_ || this->report_unretrieved()) {
      this->leave_step();
      delete this;
    }
  }
  void complete(PromiseBase& root) override {
    auto& promise = static_cast<CoroutinePromise<T>&>(root);
    if constexpr (std::is_void_v<T>) {
      promise.take_value();
    } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
      this->emplace(promise.take_value());
    } else {
      try {
        this->emplace(promise.take_value());
      } catch (...) {
        this->finish_with(std::current_exception());
        return;
      }
    }
    this->finish_with_result();
  }
};

void print_frames(std::ostream& out, const std::string& title,
                  const std::vector<FrameSummary>& frames);

template <class T>
Ref<FutureCore> start_task(EventLoop& loop, Coroutine<T>&& coroutine,
                           TaskOptions&& options) {
  LoopAccess::check_usable(loop);
  TaskDomain& domain = TaskDomain::of(loop);
  // As in Python a factory's task is numbered before it is named.
  bool named = !options.name.empty();
  if (domain.factory) [[unlikely]] {
    named = false;
    domain.factory(loop, options);
  }
  auto* task = new TaskState<T>(loop, coroutine.release().promise(),
                                options.context, named);
  auto ref = Ref<FutureCore>::adopt(task);
  if (!options.name.empty()) [[unlikely]] {
    task->set_name(std::string(options.name));
  }
  const bool eager = options.eager_start.has_value() && *options.eager_start &&
                     running_loop == &loop;
  task->start(loop, domain.list(), eager);
  return ref;
}
// The same in the running loop, without options: takes a frame over and gives a
// share, as plain pointers, which travel in registers. The rare ways out of it are
// one call, so that the common one saves none of those.
template <class T>
[[gnu::noinline]] FutureCore* start_special_task(
    CoroutinePromise<T>& promise) {
  // First, so that it is closed where no loop runs.
  Coroutine<T> coroutine = promise.get_return_object();
  return start_task(get_running_loop(), std::move(coroutine), TaskOptions())
      .leak();
}
template <class T>
FutureCore* start_plain_task(CoroutinePromise<T>& promise) {
  EventLoop* const loop = running_loop;
  TaskDomain* const domain =
      loop != nullptr ? TaskCore::plain_domain(*loop, sizeof(TaskState<T>))
                      : nullptr;
  if (domain == nullptr) [[unlikely]] return start_special_task(promise);
  auto* task = new TaskState<T>(*loop, promise, TaskCore::Plain());
  task->start(*loop, domain->list(), /*eager=*/false);
  return task;
}
template <class T>
Ref<FutureCore> start_task(Coroutine<T>&& coroutine) {
  if (!coroutine) [[unlikely]] get_running_loop();  // is told of first
  return Ref<FutureCore>::adopt(
      start_plain_task(coroutine.release().promise()));
}

}  // namespace internal

namespace internal {

// What create_task() makes of an A.
template <class A>
struct TaskFor {
  static_assert(!std::is_base_of_v<AnyFuture, std::remove_cvref_t<A>> &&
                    !IsFuture<std::remove_cvref_t<A>>::value,
                "a future runs by itself; use ensure_future()");
  using type = Task<RunValue<A>>;
};

}  // namespace internal

// Makes a task of a coroutine, of another awaitable, or of a callable that
// returns one, in `loop` or in the running one. RuntimeError("no running event
// loop") where none runs; the coroutine is closed then.
template <Runnable A>
auto create_task(EventLoop& loop, A&& awaitable, TaskOptions options = {}) {
  return typename internal::TaskFor<A>::type(internal::start_task(
      loop, internal::to_coroutine(std::forward<A>(awaitable)),
      std::move(options)));
}
template <Runnable A>
auto create_task(A&& awaitable, TaskOptions options) {
  return create_task(get_running_loop(), std::forward<A>(awaitable),
                     std::move(options));
}
template <Runnable A>
auto create_task(A&& awaitable) {
  using T = typename internal::TaskFor<A>::type;
  if constexpr (std::is_rvalue_reference_v<A&&> &&
                internal::IsCoroutine<std::remove_cvref_t<A>>::value) {
    return T(internal::start_task(std::move(awaitable)));
  } else {
    return T(internal::start_task(
        internal::to_coroutine(std::forward<A>(awaitable))));
  }
}

// What cannot be run: says so.
template <class A>
  requires(!Runnable<A>)
Task<> create_task(A&&, TaskOptions = {}) {
  static_assert(Runnable<A>,
                "create_task() needs an awaitable, or a callable without "
                "arguments that returns one: create_task(f(x)), create_task(f)");
  return {};
}

// The task that is running; null in a callback. RuntimeError("no running event
// loop") where no loop runs.
AnyTask current_task();
// The task that `loop` is running; null where there is none.
AnyTask current_task(EventLoop& loop);

// The tasks that are not done, in the order of their creation.
std::vector<AnyTask> all_tasks();
std::vector<AnyTask> all_tasks(EventLoop& loop);

// From now on `factory` edits the options of each new task; null resets.
void set_task_factory(EventLoop& loop, TaskFactory factory);
// A factory that starts each task at once, inside create_task().
void eager_task_factory(EventLoop& loop, TaskOptions& options);

template <class T>
void Task<T>::print_stack(std::ostream& out) const {
  internal::print_frames(out, to_string(*this), get_stack());
}

}  // namespace asyncio

template <class T>
struct std::hash<asyncio::Task<T>> : std::hash<asyncio::Future<T>> {};

#endif  // ASYNCIO_TASK_TASK_H_
