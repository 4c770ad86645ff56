// TaskGroup: tasks that end before the code that started them goes on.
//
//   Task<int> left, right;
//   co_await with(TaskGroup(), [&](TaskGroup& group) {
//     left = group.create_task(count(a));
//     right = group.create_task(count(b));
//   });
//   print(left.result() + right.result());    // both are done
//
// Leaving the body waits for every task of the group. The first that fails
// cancels the others, and the body where it still runs; what they threw is then
// thrown as ExceptionGroup("unhandled errors in a TaskGroup"), in the order in
// which they ended, the body's own exception last.
//
// Errors: a task that ends cancelled is no failure. KeyboardInterrupt and
// SystemExit are thrown alone, and so is a GeneratorExit that is the only one.
// Cancellation: of the waiting task cancels the group, and is thrown once all
// have ended. Where there are errors too, the group of errors is thrown and the
// cancellation comes at the next await.
// Lifetime: a group serves one `with`. It may be moved until then.
// Cost: a task of a group is one block more than a task.
#ifndef ASYNCIO_TASK_TASK_GROUP_H_
#define ASYNCIO_TASK_TASK_GROUP_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"
#include "asyncio/task/task.h"

namespace asyncio {

namespace internal {
class GroupMember;
class GroupWait;
}  // namespace internal

class TaskGroup {
 public:
  TaskGroup() = default;
  // RuntimeError where it has been entered: its tasks know where it is.
  TaskGroup(TaskGroup&& other);
  TaskGroup& operator=(TaskGroup&&) = delete;
  // Where the body was left without its end, the tasks go on by themselves.
  ~TaskGroup();

  // Makes a task of the group, as create_task() does. RuntimeError, the
  // coroutine closed, before the group was entered, after it has finished, and
  // while it is shutting down; a task of the group may make others as long as
  // it runs.
  template <Runnable A>
  auto create_task(A&& awaitable, TaskOptions options = {}) {
    static_assert(!std::is_base_of_v<AnyFuture, std::remove_cvref_t<A>> &&
                      !internal::IsFuture<std::remove_cvref_t<A>>::value,
                  "a future runs by itself");
    auto coroutine = internal::to_coroutine(std::forward<A>(awaitable));
    if (!accepts_tasks()) {
      coroutine.close();
      refuse_task();
    }
    using T = typename decltype(coroutine)::value_type;
    internal::Ref<internal::FutureCore> task =
        internal::start_task(*loop_, std::move(coroutine), std::move(options));
    add(*task);
    return Task<T>(std::move(task));
  }

  // Ends the group early and without an error: cancels its tasks, and its body
  // where that still runs. Before the group is entered it takes effect there;
  // twice, or after the end, it does nothing.
  void cancel();

  // --- For `with`.

  class Enter : public internal::LibraryAwaiter {
   public:
    explicit Enter(TaskGroup& group) : group_(group) {}
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    void await_resume() const { group_.enter(); }

   private:
    TaskGroup& group_;
  };
  Enter aenter() { return Enter(*this); }
  // Whether the body's exception was the group's own doing.
  Coroutine<bool> aexit(std::exception_ptr exception);

 private:
  friend class internal::GroupMember;
  friend class internal::GroupWait;

  void enter();
  bool accepts_tasks() const {
    return entered_ && !aborting_ && !(exiting_ && first_ == nullptr);
  }
  [[noreturn]] void refuse_task() const;
  void add(internal::FutureCore& task);
  void member_done(internal::FutureCore& task);
  void remove(internal::GroupMember& member);
  void abort();
  void cancel_parent();
  bool cancelled_from_outside() const {
    return parent_->cancelling() > cancels_at_entry_;
  }
  // "<TaskGroup tasks=2 entered>"
  std::string describe() const;

  EventLoop* loop_ = nullptr;
  internal::Ref<internal::TaskCore> parent_;  // while entered
  internal::GroupMember* first_ = nullptr;    // the tasks that are not done,
  internal::GroupMember* last_ = nullptr;     // in the order of creation
  internal::GroupWait* wait_ = nullptr;       // the parent, waiting in aexit()
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr base_error_;
  int cancels_at_entry_ = 0;
  bool entered_ = false;
  bool exiting_ = false;
  bool aborting_ = false;
  bool finished_ = false;
  bool parent_cancel_requested_ = false;
};

}  // namespace asyncio

#endif  // ASYNCIO_TASK_TASK_GROUP_H_
