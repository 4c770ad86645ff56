#include "asyncio/task/task_group.h"

#include <coroutine>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/throw_again.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

// A task of a group, from its start to its done callback. It ends itself.
class GroupMember final : public DoneCallback, public Pooled {
 public:
  GroupMember(TaskGroup& group, FutureCore& task)
      : group_(&group), task_(Ref<FutureCore>(&task)) {}

  void run() override {
    const std::unique_ptr<GroupMember> self(this);
    if (group_ == nullptr) return;
    group_->remove(*this);
    group_->member_done(*task_);
  }
  void drop() noexcept override { end(); }
  void on_abandoned() noexcept override { end(); }

  FutureCore& task() const { return *task_; }
  void forget_group() { group_ = nullptr; }

  GroupMember* prev = nullptr;
  GroupMember* next = nullptr;

 private:
  void end() noexcept {
    if (group_ != nullptr) group_->remove(*this);
    delete this;
  }

  TaskGroup* group_;  // null where it is gone
  Ref<FutureCore> task_;
};

// The parent's wait for the last task.
class GroupWait final : public LibraryAwaiter, public Waiter {
 public:
  explicit GroupWait(TaskGroup& group) : Waiter(kKind), group_(group) {}
  ~GroupWait() {
    if (group_.wait_ == this) group_.wait_ = nullptr;
  }

  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    group_.wait_ = this;
    step_task()->park(caller.promise(), *this);
  }
  // The CancelledError, where that ended the wait.
  std::exception_ptr await_resume() {
    group_.wait_ = nullptr;
    return step_task()->take_cancelled_error();
  }

 private:
  static constexpr WaiterKind kKind = {1, "TaskGroup", nullptr, nullptr};
  TaskGroup& group_;
};

}  // namespace internal

namespace {

// To be awaited: an awaiter itself cannot be moved.
class AllDone {
 public:
  explicit AllDone(TaskGroup& group) : group_(group) {}
  internal::GroupWait operator co_await() const {
    return internal::GroupWait(group_);
  }

 private:
  TaskGroup& group_;
};

}  // namespace

TaskGroup::TaskGroup(TaskGroup&& other) : aborting_(other.aborting_) {
  if (other.entered_) {
    throw RuntimeError("Cannot move a TaskGroup that has been entered");
  }
}

TaskGroup::~TaskGroup() {
  while (first_ != nullptr) {
    internal::GroupMember& member = *first_;
    remove(member);
    member.forget_group();
  }
}

void TaskGroup::enter() {
  if (entered_) {
    throw RuntimeError("TaskGroup " + describe() + " has already been entered");
  }
  if (internal::step_task() == nullptr) {
    throw RuntimeError("TaskGroup " + describe() +
                       " cannot determine the parent task");
  }
  parent_ = internal::Ref<internal::TaskCore>(internal::step_task());
  loop_ = parent_->loop();
  cancels_at_entry_ = parent_->cancelling();
  entered_ = true;
  if (aborting_) cancel_parent();
}

Coroutine<bool> TaskGroup::aexit(std::exception_ptr exception) {
  exiting_ = true;
  if (base_error_ == nullptr && internal::stops_loop(exception)) {
    base_error_ = exception;
  }
  const bool body_cancelled =
      exception_cast<CancelledError>(exception) != nullptr;
  std::exception_ptr cancellation = body_cancelled ? exception : nullptr;
  if (exception != nullptr && !aborting_) abort();

  // More than once: a cancellation of the parent ends the wait, not the tasks.
  while (first_ != nullptr) {
    std::exception_ptr cancelled = co_await AllDone(*this);
    if (cancelled != nullptr && !aborting_) {
      cancellation = std::move(cancelled);
      abort();
    }
  }

  finished_ = true;
  const internal::Ref<internal::TaskCore> parent = parent_;
  std::vector<std::exception_ptr> errors = std::move(errors_);
  errors_.clear();
  if (base_error_ != nullptr) {
    std::rethrow_exception(std::exchange(base_error_, nullptr));
  }
  if (parent_cancel_requested_) {
    parent->uncancel();
    if (!cancelled_from_outside()) {
      cancellation = nullptr;
    } else if (cancellation == nullptr) {
      // Ours covered it, while the tasks were waited for.
      cancellation = parent->make_cancelled_error();
    }
  }
  const bool outside = cancelled_from_outside();
  parent_ = nullptr;
  if (cancellation != nullptr && errors.empty()) {
    if (cancellation == exception) co_return false;
    internal::throw_again(cancellation);
  }
  if (exception != nullptr && !body_cancelled) errors.push_back(exception);
  if (errors.empty()) co_return true;
  if (outside) {
    // Keeps the count; the cancellation comes again at the next await.
    parent->uncancel();
    parent->cancel("");
  }
  if (errors.size() == 1 &&
      exception_cast<GeneratorExit>(errors.front()) != nullptr) {
    std::rethrow_exception(errors.front());
  }
  std::rethrow_exception(make_exception_group("unhandled errors in a TaskGroup",
                                              std::move(errors)));
}

void TaskGroup::cancel() {
  if (aborting_ || finished_) return;
  abort();
  if (entered_) cancel_parent();
}

void TaskGroup::abort() {
  aborting_ = true;
  for (internal::GroupMember* member = first_; member != nullptr;
       member = member->next) {
    if (!member->task().done()) member->task().cancel("");
  }
}

void TaskGroup::cancel_parent() {
  if (std::exchange(parent_cancel_requested_, true)) return;
  parent_->cancel("");
}

void TaskGroup::refuse_task() const {
  throw RuntimeError("TaskGroup " + describe() +
                     (!entered_                       ? " has not been entered"
                      : exiting_ && first_ == nullptr ? " is finished"
                                                      : " is shutting down"));
}

void TaskGroup::add(internal::FutureCore& task) {
  auto* member = new internal::GroupMember(*this, task);
  member->prev = last_;
  (last_ != nullptr ? last_->next : first_) = member;
  last_ = member;
  member->attach(task);
  // One that started at once may have ended the group before it belonged to it.
  if (aborting_ && !task.done()) task.cancel("");
}

void TaskGroup::remove(internal::GroupMember& member) {
  (member.prev != nullptr ? member.prev->next : first_) = member.next;
  (member.next != nullptr ? member.next->prev : last_) = member.prev;
  member.prev = member.next = nullptr;
}

void TaskGroup::member_done(internal::FutureCore& task) {
  if (first_ == nullptr && wait_ != nullptr) wait_->task()->wake();
  if (task.cancelled()) return;
  std::exception_ptr exception = task.outcome();
  if (exception == nullptr) return;
  errors_.push_back(exception);
  if (base_error_ == nullptr && internal::stops_loop(exception)) {
    base_error_ = exception;
  }
  if (parent_->done()) {
    ExceptionContext report("Task " + task.describe() +
                                " has errored out but its parent task " +
                                parent_->describe() + " is already completed",
                            exception);
    report.task = AnyTask(internal::Ref<internal::ErasedFuture>(&task));
    loop_->call_exception_handler(report);
    return;
  }
  if (!aborting_ && !parent_cancel_requested_) {
    abort();
    cancel_parent();
  }
}

std::string TaskGroup::describe() const {
  std::string text = "<TaskGroup";
  size_t tasks = 0;
  for (auto* member = first_; member != nullptr; member = member->next) {
    ++tasks;
  }
  if (tasks > 0) text += " tasks=" + std::to_string(tasks);
  if (!errors_.empty()) text += " errors=" + std::to_string(errors_.size());
  if (aborting_) {
    text += " cancelling";
  } else if (entered_) {
    text += " entered";
  }
  return text + ">";
}

}  // namespace asyncio
