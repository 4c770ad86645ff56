// TaskCore: everything of a task that does not depend on its result's type.
//
// docs/task_states.md has its states and who may change what.
#ifndef ASYNCIO_TASK_INTERNAL_TASK_CORE_H_
#define ASYNCIO_TASK_INTERNAL_TASK_CORE_H_

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/frame_hook.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {
struct TaskOptions;
}  // namespace asyncio

namespace asyncio::internal {

// A place in a loop's list of unfinished tasks.
struct TaskListNode {
  TaskListNode* prev = nullptr;
  TaskListNode* next = nullptr;
};

class TaskDomain;

class TaskCore : public FutureCore, private TaskListNode {
 public:
  // Takes over the frame, which has not run; null for a copy of the running
  // context. `named`: it will have a name, and needs no number.
  TaskCore(EventLoop& loop, PromiseBase& root, const Context* context, bool named)
      : FutureCore(loop, /*is_task=*/true),
        leaf_(Leaf::from_promise(root)),
        context_(context != nullptr ? ContextSlot(context->state())
                                    : ContextSlot::copy_current()),
        identity_((named ? 0 : next_number()) << 1 | 1) {
    root.set_caller(&end_);
    if (loop.get_debug()) [[unlikely]] note_source(root);
  }

  // Of one like most: see plain_domain().
  struct Plain {};
  TaskCore(EventLoop& loop, PromiseBase& root, Plain)
      : FutureCore(loop, /*is_task=*/true),
        leaf_(Leaf::from_promise(root)),
        identity_(++last_number_ << 1 | 1) {
    root.set_caller(&end_);
  }
  // The domain of the running loop where a task made now, of `size` bytes, needs
  // nothing special: no context, no factory, no memory of the system. Else null.
  // Decided first, so that the making is one straight line.
  static TaskDomain* plain_domain(EventLoop& loop, size_t size);

  // Enters it in its loop's list, `tasks`, and makes its first step ready, or
  // takes that step at once. The loop keeps it alive from here to its end.
  void start(EventLoop& loop, TaskListNode& tasks, bool eager) {
    prev = tasks.prev;
    next = &tasks;
    prev->next = this;
    tasks.prev = this;
    retain();
    if (eager) [[unlikely]] {
      start_eagerly();
    } else {
      LoopAccess::push(loop, *this);
    }
  }

  // --- Called by awaiters of this library, in the task's own step.

  // The frame of `leaf` suspends until `waiter` has wake() or cancel_wait()
  // called. A cancellation that is due already is passed on at once.
  void park(PromiseBase& leaf, Waiter& waiter) {
    leaf_ = Leaf::from_promise(leaf);
    keep(&waiter);
    waiter.task_ = this;
    wait_ = kPending;
    if (must_cancel_) [[unlikely]] cancel_parked();
  }
  // The frame of `leaf` suspends for one turn of the loop.
  void yield(PromiseBase& leaf) {
    if (must_cancel_) [[unlikely]] return yield_due(leaf);
    leaf_ = Leaf::from_promise(leaf);
    make_ready(kWoken);
  }
  // What the step has resumed, in the awaiter of which park() was called.
  PromiseBase& leaf() { return leaf_.promise(); }
  // Undoes park() of an awaiter that need not suspend after all; leaf() was
  // `resumed` before.
  void unpark(PromiseBase& resumed) {
    leaf_ = Leaf::from_promise(resumed);
    wait_ = kRunning;
  }
  // What a hook was resumed for goes on in its place.
  void resume_instead(PromiseBase& frame) {
    leaf_ = Leaf::from_promise(frame);
    leaf_.resume();
  }
  // Throws CancelledError where that is what ended the wait. In line: each function
  // on the unwinder's way costs thousands of instructions. The one with a text is
  // thrown elsewhere, so that this one needs no register.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void check_cancelled() {
    if (wait_cancelled()) [[unlikely]] {
      take_cancellation();
      throw CancelledError();
    }
  }
  // Whether check_cancelled() would throw; takes the cancellation then.
  bool take_cancelled() {
    if (!wait_cancelled()) [[likely]] return false;
    wait_ = kRunning;
    must_cancel_ = false;
    return true;
  }
  // What check_cancelled() would throw, taken; null where it would not.
  std::exception_ptr take_cancelled_error() {
    return take_cancelled() ? make_cancelled_error() : nullptr;
  }
  // Of a cancellation that was taken: the next wait, or the end, has it.
  void defer_cancel() { must_cancel_ = true; }

  // --- Called by whoever ends the wait.

  // Makes the task ready. False where its wait has ended already.
  bool wake() { return wake_unrefused() || wake_refused(); }
  // The same in a wait that never refuses to be cancelled.
  bool wake_unrefused() {
    if (wait_ != kPending) return false;
    make_ready(kWoken);
    return true;
  }
  // The same, with CancelledError thrown at the await.
  bool cancel_wait(std::string_view message);
  bool waiting() const { return wait_ == kPending; }
  // Of one whose wait has ended and that has not asked how: by wake(), or by
  // cancel_wait(). A cancellation that comes after a wake() changes neither.
  bool was_woken() const { return wait_ == kWoken || wait_ == kDueCancel; }
  bool was_cancelled() const { return wait_ == kCancelled; }
  // Of a wait that was cancelled and whose task has not run since.
  bool wait_cancelled() const { return wait_ >= kDueCancel; }

  // A scope in which cancel() is a request of its own, although another is being
  // passed on around it.
  class NewRequest {
   public:
    NewRequest() { passing_on_ = false; }
    ~NewRequest() { passing_on_ = outer_; }
    NewRequest(const NewRequest&) = delete;
    NewRequest& operator=(const NewRequest&) = delete;

   private:
    const bool outer_ = passing_on_;
  };

  // --- Of Task.

  bool cancel(std::string_view message) final;
  int cancelling() const final {
    const Details* details = peek_details();
    return few_cancels_ + (details != nullptr ? details->more_cancels : 0);
  }
  int uncancel() final;
  std::string name() const final;
  void set_name(std::string name) final;
  std::vector<FrameSummary> stack() const final;
  std::string describe() const final;
  const char* class_name() const final { return "Task"; }
  // "file:line, in function" of its coroutine, in debug mode; empty otherwise.
  std::string source() const final;
  ContextSlot* task_context() final { return &context_; }
  // What it waits on; null while it runs or is ready.
  Waiter* waiter() const {
    return pending() || wait_ == kGivenUp
               ? static_cast<Waiter*>(kept())
               : nullptr;
  }
  std::exception_ptr make_cancelled_error() const;
  // A task of the library's own, destroyed silently.
  void set_report_pending(bool report) { report_pending_ = report; }

  // A step: its beginning, and what that left.
  void run() final;
  void go_on() final;
  void drop() noexcept final {}

  // The frames from the innermost one up to `last` are destroyed, because the
  // owner of that one goes; its caller stays suspended, in `waiter`. Where the task
  // is ready, or something in the frames is in the ready queue, the next step does
  // it, and goes on in that caller.
  void cut_frames(PromiseBase& last, Waiter& waiter) noexcept;

  // Every unfinished task of the loop, in the order of creation.
  static std::vector<AnyTask> all(EventLoop& loop);

 protected:
  ~TaskCore() override {
    if (leaf_) [[unlikely]] destroy_frames();
    if ((identity_ & 1) == 0) [[unlikely]] delete_details();
  }

  // What its destruction runs, of the user's, is in no task.
  void leave_step() {
    if (step.task == this) step.task = nullptr;
  }
  // Whether a finished one has nothing to be destroyed but its value.
  bool plain() const {
    return state() == kFinished && (identity_ & 1) != 0 &&
           context_.peek() == nullptr;
  }

  // Moves the result out of the frame, which ended with one, and calls
  // finish_with_result(); where that throws, finish_with().
  virtual void complete(PromiseBase& root) = 0;
  void finish_with_result() {
    end_frames();
    finish();
    release();
  }
  // Ends the task with an exception in the place of a result.
  [[gnu::noinline]] void finish_with(std::exception_ptr exception);

 private:
  friend class TaskDomain;
  // A frame, whatever its promise is besides.
  using Leaf = std::coroutine_handle<PromiseBase>;
  // docs/task_states.md. While it runs a task has the state that it was resumed
  // with, or kRunning.
  enum Wait : uint8_t {
    kUnstarted,  // ready for the first time
    kRunning,    // not ready
    kPending,    // in waiter()
    kRefused,    // the same, and it would not be cancelled: the step after it is
    kGivenUp,    // in waiter() for ever: its loop is being destroyed
    kWoken,      // ready
    kDueCancel,  // ready, to be thrown at, for must_cancel_ is set
    kCancelled,  // ready, to be thrown at, for its wait was cancelled
  };
  // What most tasks do not have.
  struct Details : Pooled {
    uint64_t number = 0;
    std::string name;
    std::string cancel_message;
    std::string source;  // in debug mode
    int more_cancels = 0;  // than few_cancels_ has room for
    // What leaf_ would be, where that is one of the hooks below.
    Leaf behind_hook;
    // Of cut_frames(), for the next step; and who owns those frames until then.
    PromiseBase* last_to_cut = nullptr;
    FrameOwner cut_owner;
  };

  // The caller of the outermost frame of each task: has no frame.
  class End final : public PromiseBase {
   public:
    using PromiseBase::PromiseBase;
  };
  static End end_;
  // Resumed in the place of the innermost frame: of one that was cancelled before
  // it ran, and of frames that are to be destroyed first.
  class Hook final : public FrameHook {
   public:
    constexpr explicit Hook(Resume resume)
        : FrameHook(Functions(resume), SourceLocation()) {}
  };
  static Hook never_started_;
  static Hook cut_first_;

  // Names count up over the process, as in Python. A thread takes the numbers in
  // blocks: one that runs tasks alone sees 1, 2, 3.
  static constexpr uint64_t kNumbersAtOnce = 1024;
  static uint64_t next_number() {
    if (last_number_ % kNumbersAtOnce == 0) [[unlikely]] take_numbers();
    return ++last_number_;
  }
  static void take_numbers();
  static inline constinit thread_local uint64_t last_number_ = 0;

  // Whether a cancel() that is called now is one that runs already, passed on by what
  // its task waits on.
  static inline constinit thread_local bool passing_on_ = false;

  static constexpr uint8_t kFewCancels = 255;
  void count_cancel() {
    if (few_cancels_ < kFewCancels) [[likely]] {
      ++few_cancels_;
    } else {
      ++details().more_cancels;
    }
  }

  static bool no_context_to_copy();
  // Requires innermost().
  std::string coroutine_name() const;
  void note_source(const PromiseBase& root);
  void start_eagerly();
  void make_ready(Wait state) {
    wait_ = state;
    LoopAccess::push(*loop(), *this);
  }
  // Of one that is to be thrown at in its next step.
  void yield_due(PromiseBase& leaf);
  [[gnu::noinline]] void drive();
  void end_step();
  void end_frames() noexcept {
    std::exchange(leaf_, nullptr).destroy();
    unlink();
  }
  void finish_with_outcome(PromiseBase& root);
  void finish_unstarted();
  void cut_and_go_on();
  bool pass_on(Waiter& waiter, std::string_view message);
  void break_ring(ErasedFuture* awaited, std::string_view message);
  void note_due_cancel();
  void withdraw_due_cancel();
  void cancel_parked();
  // Takes it; throws it where it has a text.
  void take_cancellation();
  // Null where there are none; details() makes them.
  Details* peek_details() const {
    return (identity_ & 1) != 0 ? nullptr
                                : reinterpret_cast<Details*>(identity_);
  }
  Details& details();
  void delete_details() noexcept;
  bool pending() const { return wait_ == kPending || wait_ == kRefused; }
  bool wake_refused();
  // Whether it is in a step, or has begun one that has begun another inside.
  bool running() const { return step.task == this || wait_ == kRunning; }
  void set_hook(Hook& hook);
  void take_hook() { leaf_ = std::exchange(details().behind_hook, nullptr); }
  bool has_hook(Hook& hook) const {
    return leaf_ == Leaf::from_promise(hook.promise());
  }
  void destroy_up_to(PromiseBase& last) noexcept;
  // The innermost frame, of those that are not on the stack; null where it is
  // done.
  PromiseBase* innermost() const;
  // Nothing makes it ready from here on.
  void stop_waiting() {
    if (pending()) wait_ = kGivenUp;
  }
  void abandon() noexcept;
  void destroy_frames() noexcept;
  // Out of the list of unfinished tasks, where it is from start() to its end.
  void unlink() noexcept {
    prev->next = next;
    next->prev = prev;
  }

  // The innermost suspended frame: what the next step resumes. While it runs, what
  // was resumed last; null once it is done.
  Leaf leaf_;
  ContextSlot context_;
  // The task's number, doubled and odd; or its Details, which have the number.
  uintptr_t identity_;

  // In the room that a future has to spare: wait_, a Wait; must_cancel_: the next
  // step, or the next wait, is to be cancelled; few_cancels_, the requests that are
  // not taken back; report_pending_: see set_report_pending(); passes_cancel_on_: it
  // has asked what it waits on to be cancelled, and has no answer yet. In its ready
  // queue's link, while it is in none: the waiter().
  static_assert(kUnstarted == 0);
};

// The task whose step this thread is in; null in a callback and outside the loop.
inline TaskCore* step_task() { return static_cast<TaskCore*>(step.task); }

// The tasks of one loop.
class TaskDomain final : public LoopAttachment {
 public:
  static TaskDomain& of(EventLoop& loop) {
    LoopAttachment* found = LoopAccess::attachment(loop, AttachmentSlot::kTasks);
    if (found == nullptr) [[unlikely]] return make(loop);
    return static_cast<TaskDomain&>(*found);
  }

  TaskDomain() { list_.prev = list_.next = &list_; }
  void loop_destroyed() override;

  TaskListNode& list() { return list_; }

  // Edits the options of each new task; empty for none.
  std::function<void(EventLoop&, TaskOptions&)> factory;

 private:
  static TaskDomain& make(EventLoop& loop);

  TaskListNode list_;  // a ring, in the order of creation
};

inline bool TaskCore::no_context_to_copy() {
  if (ContextSlot::current_is_entered()) return ContextSlot::current().empty();
  return step_task() != nullptr && step_task()->context_.empty();
}

inline TaskDomain* TaskCore::plain_domain(EventLoop& loop, size_t size) {
  auto* domain = static_cast<TaskDomain*>(
      LoopAccess::attachment(loop, AttachmentSlot::kTasks));
  const bool plain = domain != nullptr && !domain->factory &&
                     !loop.get_debug() && last_number_ % kNumbersAtOnce != 0 &&
                     no_context_to_copy() && FramePool::has_block(size);
  return plain ? domain : nullptr;
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_TASK_CORE_H_
