// FutureCore: everything of a future that does not depend on its type.
//
// The state machine is in docs/task_states.md. Resolving one never resumes
// anybody: each registered link is told in order and puts itself on the loop's
// ready queue.
#ifndef ASYNCIO_TASK_INTERNAL_FUTURE_CORE_H_
#define ASYNCIO_TASK_INTERNAL_FUTURE_CORE_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

class FutureCore;

// Somebody who is told when a future is done: an awaiting task, a callback. In
// the future's list until then; destroying it takes it out.
class DoneLink {
 public:
  DoneLink() {}  // NOLINT: prev_ is of no use before it is linked
  DoneLink(const DoneLink&) = delete;
  DoneLink& operator=(const DoneLink&) = delete;

  bool linked() const { return next_ != nullptr; }

  // Called inside set_result() and its like, in the order of registration; out
  // of the list by then. Only schedules.
  virtual void on_done(FutureCore& future) noexcept = 0;
  // The future is gone and was never done: this was its last call.
  virtual void on_abandoned() noexcept {}

 protected:
  ~DoneLink() = default;

 private:
  friend class FutureCore;
  DoneLink* prev_;
  DoneLink* next_ = nullptr;
};

class FutureCore : public ErasedFuture, public Pooled {
 public:
  // The loop outlives it in memory at least.
  explicit FutureCore(EventLoop& loop, bool is_task = false)
      : ErasedFuture(is_task), loop_(&loop) {
    LoopAccess::retain(loop);
  }

  EventLoop* loop() const final { return loop_; }
  State state() const { return state_; }

  // --- Results. The typed classes store the value, then call finish().

  // InvalidStateError where it is done, RuntimeError on a wrong thread.
  void check_pending() const {
    LoopAccess::check_thread(*loop_);
    if (done()) [[unlikely]] throw_invalid_state();
  }
  // The result is in place: tells everybody.
  void finish() {
    state_ = kFinished;
    if (DoneLink* const link = first_link_) {
      if (link->next_ != link) {
        tell(*link);
      } else {
        link->next_ = nullptr;
        link->on_done(*this);
      }
    }
  }
  void fail(std::exception_ptr exception);
  bool cancel(std::string_view message) override;
  // Ended by this CancelledError, which is kept where it says more than that it is
  // one.
  void finish_cancelled(std::exception_ptr exception);
  // The same with one that has no text.
  void finish_plainly_cancelled() { resolve(kCancelled); }

  // Throws unless there is a result: InvalidStateError, CancelledError, or the
  // stored exception.
  void check_result() {
    if (state_ != kFinished) [[unlikely]] throw_no_result();
  }
  std::exception_ptr exception() override;
  // Of a future that is done: null where it ended well; throws nothing. Counts as
  // having looked.
  std::exception_ptr outcome();
  // From now on an exception of it need not be reported.
  void mark_retrieved() { unretrieved_ = false; }

  // --- Links.

  // Requires !done() and !link.linked().
  void add_link(DoneLink& link) {
    if (first_link_ == nullptr) {
      link.prev_ = link.next_ = &link;
      first_link_ = &link;
    } else {
      link.next_ = first_link_;
      link.prev_ = first_link_->prev_;
      link.prev_->next_ = &link;
      first_link_->prev_ = &link;
    }
  }
  // Requires link.linked() in this future.
  void remove_link(DoneLink& link) {
    if (link.next_ == &link) {
      first_link_ = nullptr;
    } else {
      link.prev_->next_ = link.next_;
      link.next_->prev_ = link.prev_;
      if (first_link_ == &link) first_link_ = link.next_;
    }
    link.next_ = nullptr;
  }
  // Calls fn(DoneLink&) for each, in order.
  template <class F>
  void for_each_link(F&& fn) const {
    if (done() || first_link_ == nullptr) return;
    DoneLink* link = first_link_;
    do {
      fn(*link);
      link = link->next_;
    } while (link != first_link_);
  }

  CallbackId add_callback(absl::AnyInvocable<void(ErasedFuture&)> fn,
                          const Context* context) override;
  size_t remove_callback(CallbackId id) override;

  std::string describe() const override;
  // Python's name of it.
  virtual const char* class_name() const { return "Future"; }
  // Where it comes from, for reports; empty where that is not known.
  virtual std::string source() const { return ""; }

  // A plain future is never run by the loop.
  void run() override {}
  void drop() noexcept override {}

 protected:
  ~FutureCore() override {
    if (state_ != kFinished) [[unlikely]] end_without_result();
    LoopAccess::release(*loop_);
  }
  void dispose() override;
  // False where the report keeps it alive.
  bool report_unretrieved();
  // Tells everybody; the state is final from here on.
  void resolve(State state, std::exception_ptr exception = nullptr);
  // " exception=ValueError('x')" and the like, as Python shows an outcome.
  std::string describe_outcome() const;
  void abandon_links() noexcept;

 private:
  // Out of the list, in order.
  void tell(DoneLink& first) noexcept;
  void end_without_result() noexcept;
  [[noreturn]] void throw_invalid_state() const;
  [[noreturn]] void throw_no_result();

  EventLoop* loop_;
  // Pending: the ring of links, by its first. Failed or cancelled: the exception,
  // null for plain_cancelled_error().
  union {
    DoneLink* first_link_ = nullptr;
    std::exception_ptr exception_;
  };
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FUTURE_CORE_H_
