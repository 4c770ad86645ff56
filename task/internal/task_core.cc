#include "asyncio/task/internal/task_core.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/macros.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/repr.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/function_name.h"
#include "asyncio/task/internal/promise.h"

namespace asyncio::internal {

void TaskCore::take_numbers() {
  static constinit std::atomic<uint64_t> next_block{0};
  last_number_ =
      kNumbersAtOnce * next_block.fetch_add(1, std::memory_order_relaxed);
}

void TaskCore::note_source(const PromiseBase& root) {
  const std::source_location where = root.where();
  details().source = std::string(where.file_name()) + ":" +
                     std::to_string(where.line()) + ", in " +
                     function_name(where.function_name());
}

constinit TaskCore::End TaskCore::end_{SourceLocation()};
constinit TaskCore::Hook TaskCore::never_started_(
    [](FrameHook*) { step_task()->finish_unstarted(); });
constinit TaskCore::Hook TaskCore::cut_first_(
    [](FrameHook*) { step_task()->cut_and_go_on(); });

void TaskCore::set_hook(Hook& hook) {
  details().behind_hook = leaf_;
  leaf_ = Leaf::from_promise(hook.promise());
}

void TaskCore::start_eagerly() {
  if (step_task() != nullptr) step_task()->wait_ = kRunning;
  struct Restore {
    const Step outer = step;
    ContextScope no_scope{nullptr};
    ~Restore() { step = outer; }
  } restore;
  step = Step{};
  run();
  if (step.next != nullptr) go_on();
}

// Ends in a jump: what is left, and whose turn it was, is the loop's to look at.
void TaskCore::run() {
  step.task = this;
  leaf_.resume();
}

void TaskCore::yield_due(PromiseBase& leaf) {
  leaf_ = Leaf::from_promise(leaf);
  make_ready(kDueCancel);
}

// What a frame left to be resumed, until none is left. The end of the task is the
// last of them.
void TaskCore::go_on() {
  if (step.next == &end_) [[likely]] {
    end_step();
  } else {
    drive();
  }
}

void TaskCore::drive() {
  do {
    leaf_ = Leaf::from_promise(*std::exchange(step.next, nullptr));
    leaf_.resume();
  } while (step.next != nullptr && step.next != &end_);
  if (step.next != nullptr) end_step();
}

// The outermost frame, the last to be resumed, has ended.
inline void TaskCore::end_step() {
  step.next = nullptr;
  PromiseBase& root = leaf_.promise();
  if (root.outcome().failed() || must_cancel_) [[unlikely]] {
    return finish_with_outcome(root);
  }
  complete(root);
}

// Not in line, so that the end with a result saves no registers.
[[gnu::noinline]] void TaskCore::finish_with_outcome(PromiseBase& root) {
  Outcome& outcome = root.outcome();
  if (outcome.plainly_cancelled()) {
    end_frames();
    Ref<TaskCore> share = Ref<TaskCore>::adopt(this);
    return finish_plainly_cancelled();
  }
  if (outcome.failed()) return finish_with(outcome.take());
  // Without an exception it was cancelled between its last await and its end, and
  // its result is lost.
  must_cancel_ = false;
  std::exception_ptr error = make_cancelled_error();
  end_frames();
  Ref<TaskCore> share = Ref<TaskCore>::adopt(this);
  finish_cancelled(std::move(error));
}

// Its turn has come, and it was cancelled before.
void TaskCore::finish_unstarted() {
  std::exception_ptr exception = make_cancelled_error();
  Ref<TaskCore> share = Ref<TaskCore>::adopt(this);
  must_cancel_ = false;
  unlink();
  destroy_frames();
  finish_cancelled(std::move(exception));
}

void TaskCore::finish_with(std::exception_ptr exception) {
  end_frames();
  Ref<TaskCore> share = Ref<TaskCore>::adopt(this);
  if (exception_cast<CancelledError>(exception) != nullptr) {
    finish_cancelled(std::move(exception));
    return;
  }
  fail(exception);
  if (stops_loop(exception)) [[unlikely]] std::rethrow_exception(exception);
}

// Of one whose wait is none, or refused to be cancelled.
bool TaskCore::wake_refused() {
  if (wait_ != kRefused) return false;
  make_ready(kDueCancel);
  return true;
}

bool TaskCore::cancel_wait(std::string_view message) {
  if (!pending()) return false;
  if (!message.empty() || peek_details() != nullptr) {
    details().cancel_message = message;
  }
  make_ready(kCancelled);
  return true;
}

bool TaskCore::cancel(std::string_view message) {
  LoopAccess::check_thread(*loop());
  // Along the chain of tasks that await tasks, without recursion. Tasks that await
  // each other in a ring are found by a mark that moves on ever more rarely; where a
  // gather() or a select() is in the ring, by the task that is asked while it asks.
  TaskCore* task = this;
  const TaskCore* mark = nullptr;
  for (uint64_t length = 1;; ++length) {
    const bool ring = task == mark || task->passes_cancel_on_;
    if ((length & (length - 1)) == 0) mark = task;
    task->mark_retrieved();
    if (task->done()) return task != this;
    task->count_cancel();
    // Another request meets the one that is under way, and arrives with it.
    if (task->passes_cancel_on_ && !passing_on_) return true;
    if (Waiter* waiter = task->waiter(); waiter != nullptr) {
      ErasedFuture* future =
          waiter->kind().future ? waiter->kind().future(*waiter) : nullptr;
      if (ring) {
        task->break_ring(future, message);
        return true;
      }
      if (future != nullptr && future->is_task() && !future->done()) {
        task = static_cast<TaskCore*>(future);
        continue;
      }
      if (task->pass_on(*waiter, message)) return true;
    }
    task->note_due_cancel();
    // The text of a cancellation that is on its way is the one that arrives.
    if (task->wait_ != kCancelled &&
        (!message.empty() || task->peek_details() != nullptr)) {
      task->details().cancel_message = message;
    }
    return true;
  }
}

// Asks what it waits on; false where that has ended already.
inline bool TaskCore::pass_on(Waiter& waiter, std::string_view message) {
  if (waiter.kind().cancel == nullptr) return cancel_wait(message);
  struct Under {
    explicit Under(TaskCore& task) : task(task) {
      task.passes_cancel_on_ = true;
      passing_on_ = true;
    }
    ~Under() {
      task.passes_cancel_on_ = false;
      passing_on_ = outer;
    }
    TaskCore& task;
    const bool outer = passing_on_;
  } under(*this);
  return waiter.kind().cancel(waiter, message);
}

// Ends the wait itself; that for a gather(), whose children are being asked, by
// ending that. Neither, where the loop is being destroyed.
void TaskCore::break_ring(ErasedFuture* awaited, std::string_view message) {
  if (awaited == nullptr || awaited->is_task()) {
    cancel_wait(message);
  } else {
    static_cast<FutureCore*>(awaited)->FutureCore::cancel(message);
  }
}

void TaskCore::cancel_parked() {
  const Details* details = peek_details();
  const std::string message = details ? details->cancel_message : "";
  Waiter& waiter = *this->waiter();
  const bool taken = waiter.kind().cancel
                         ? waiter.kind().cancel(waiter, message)
                         : cancel_wait(message);
  if (taken) {
    must_cancel_ = false;
  } else if (wait_ == kPending) {
    wait_ = kRefused;
  }
}

// The next step, or the next wait of the one that runs, is to throw.
void TaskCore::note_due_cancel() {
  must_cancel_ = true;
  if (running()) return;
  if (wait_ == kWoken) {
    wait_ = kDueCancel;
  } else if (wait_ == kPending) {
    wait_ = kRefused;
  } else if (wait_ == kUnstarted && !has_hook(never_started_)) {
    set_hook(never_started_);
  }
}

void TaskCore::withdraw_due_cancel() {
  must_cancel_ = false;
  if (wait_ == kDueCancel) {
    wait_ = kWoken;
  } else if (wait_ == kRefused) {
    wait_ = kPending;
  } else if (has_hook(never_started_)) {
    take_hook();
  }
}

int TaskCore::uncancel() {
  LoopAccess::check_thread(*loop());
  if (few_cancels_ == 0) return 0;
  if (cancelling() > kFewCancels) {
    --details().more_cancels;
  } else if (--few_cancels_ == 0) {
    withdraw_due_cancel();
  }
  return cancelling();
}

std::exception_ptr TaskCore::make_cancelled_error() const {
  const Details* details = peek_details();
  if (details == nullptr || details->cancel_message.empty()) {
    return plain_cancelled_error();
  }
  return std::make_exception_ptr(CancelledError(details->cancel_message));
}

void TaskCore::take_cancellation() {
  take_cancelled();
  if (const Details* details = peek_details();
      details != nullptr && !details->cancel_message.empty()) {
    throw CancelledError(details->cancel_message);
  }
}

TaskCore::Details& TaskCore::details() {
  if (peek_details() == nullptr) {
    auto* made = new Details;
    made->number = identity_ >> 1;
    identity_ = reinterpret_cast<uintptr_t>(made);
  }
  return *peek_details();
}

void TaskCore::delete_details() noexcept { delete peek_details(); }

PromiseBase* TaskCore::innermost() const {
  const Leaf leaf = has_hook(never_started_) || has_hook(cut_first_)
                        ? peek_details()->behind_hook
                        : leaf_;
  return leaf ? &leaf.promise() : nullptr;
}

std::string TaskCore::name() const {
  const Details* details = peek_details();
  if (details != nullptr && !details->name.empty()) return details->name;
  const uint64_t number =
      details != nullptr ? details->number : identity_ >> 1;
  return number != 0 ? "Task-" + std::to_string(number) : "";
}

void TaskCore::set_name(std::string name) { details().name = std::move(name); }

std::vector<FrameSummary> TaskCore::stack() const {
  std::vector<FrameSummary> frames;
  if (running()) return frames;
  for (PromiseBase* p = innermost(); p != nullptr && p != &end_;
       p = p->caller()) {
    // The library's coroutine around a callable is none of the user's.
    if (!frames.empty() && is_wrapper(p->where().function_name())) continue;
    FrameSummary frame;
    frame.function = function_name(p->where().function_name());
    frame.file = p->where().file_name();
    frame.line = p->where().line();
    frames.push_back(std::move(frame));
  }
  std::reverse(frames.begin(), frames.end());
  return frames;
}

std::string TaskCore::source() const {
  const Details* details = peek_details();
  return details != nullptr ? details->source : "";
}

// Of the outermost frame, unless that is the library's around something else: then
// of that, as soon as it runs.
std::string TaskCore::coroutine_name() const {
  const PromiseBase* frame = innermost();
  const PromiseBase* inner = nullptr;
  while (frame->caller() != nullptr && frame->caller() != &end_) {
    inner = std::exchange(frame, frame->caller());
  }
  if (is_wrapper(frame->where().function_name())) {
    if (inner != nullptr) {
      frame = inner;
    } else if (waiter() != nullptr) {
      return waiter()->kind().name;
    }
  }
  return function_name(frame->where().function_name());
}

std::string TaskCore::describe() const {
  static constexpr const char* kNames[] = {"pending", "finished", "finished",
                                           "cancelled"};
  std::string text = "<Task ";
  text += !done() && few_cancels_ > 0 ? "cancelling" : kNames[state()];
  text += " name=" + repr(name());
  if (innermost() != nullptr) text += " coro=<" + coroutine_name() + "()>";
  if (const Waiter* w = waiter()) {
    text += std::string(" wait_for=<") + w->kind().name + ">";
  }
  return text + describe_outcome() + ">";
}

void TaskCore::destroy_frames() noexcept {
  PromiseBase* frame = innermost();
  leaf_ = nullptr;
  if (waiter() != nullptr) wait_ = kRunning;  // the waiter goes with its frame
  while (frame != nullptr && frame != &end_) {
    PromiseBase* caller = frame->caller();
    FrameOwner* owner = frame->outcome().owner();
    if (owner != nullptr) {
      owner->frame = nullptr;
      frame->frame().destroy();
    } else if (caller == &end_) {
      frame->frame().destroy();
    }
    frame = caller;
  }
}

void TaskCore::cut_frames(PromiseBase& last, Waiter& waiter) noexcept {
  // Destroyed from inside itself, it could not go on.
  ABSL_ASSERT(!running());
  const WaiterKind* kind = pending() ? &this->waiter()->kind() : nullptr;
  const bool now = kind != nullptr && !has_hook(cut_first_) &&
                   (kind->queued == nullptr || !kind->queued(*this->waiter()));
  if (now) {
    destroy_up_to(last);
    park(leaf_.promise(), waiter);
    return;
  }
  PromiseBase*& cut = details().last_to_cut;
  last.outcome().set_owner(&details().cut_owner);
  if (!has_hook(cut_first_)) {
    set_hook(cut_first_);
    cut = &last;
    return;
  }
  // The outermost of those to be cut counts.
  for (PromiseBase* frame = cut; frame != &end_; frame = frame->caller()) {
    if (frame == &last) cut = &last;
  }
}

void TaskCore::cut_and_go_on() {
  take_hook();
  destroy_up_to(*details().last_to_cut);
  leaf_.resume();
}

// From the innermost one; leaf_ is the caller of `last` then.
void TaskCore::destroy_up_to(PromiseBase& last) noexcept {
  PromiseBase* frame = &leaf_.promise();
  leaf_ = Leaf::from_promise(*last.caller());
  while (true) {
    PromiseBase* const caller = frame->caller();
    const bool is_last = frame == &last;
    if (FrameOwner* owner = frame->outcome().owner()) owner->frame = nullptr;
    frame->frame().destroy();
    if (is_last) break;
    frame = caller;
  }
}

// The loop is gone: the task ends where it stands.
void TaskCore::abandon() noexcept {
  Ref<TaskCore> share = Ref<TaskCore>::adopt(this);
  unlink();
  if (report_pending_) {
    ExceptionContext report("Task was destroyed but it is pending!");
    report.task = AnyTask(Ref<ErasedFuture>(this));
    report.source = source();
    try {
      loop()->call_exception_handler(report);
    } catch (...) {
      // An interrupt has nowhere to go from here.
    }
  }
  destroy_frames();
  abandon_links();
}

std::vector<AnyTask> TaskCore::all(EventLoop& loop) {
  std::vector<AnyTask> tasks;
  TaskListNode& list = TaskDomain::of(loop).list();
  for (TaskListNode* node = list.next; node != &list; node = node->next) {
    tasks.push_back(
        AnyTask(Ref<ErasedFuture>(static_cast<TaskCore*>(node))));
  }
  return tasks;
}

TaskDomain& TaskDomain::make(EventLoop& loop) {
  auto domain = std::make_unique<TaskDomain>();
  TaskDomain& result = *domain;
  LoopAccess::attach(loop, AttachmentSlot::kTasks, std::move(domain));
  return result;
}

void TaskDomain::loop_destroyed() {
  // First, none can be woken any more: the end of one, or a report, may resolve
  // what another waits on, which must not enter the ready queue and then go.
  for (TaskListNode* node = list_.next; node != &list_; node = node->next) {
    static_cast<TaskCore*>(node)->stop_waiting();
  }
  while (list_.next != &list_) {
    static_cast<TaskCore*>(list_.next)->abandon();
  }
}

}  // namespace asyncio::internal
