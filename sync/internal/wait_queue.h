// WaitQueue: the tasks that wait in a primitive, in the order in which they
// came. The one place where a task is parked in one.
//
// A node lives in the awaiting frame. It is in the queue from park() until its
// task has resumed and called leave(), also after it was woken or cancelled:
// the deque of futures of Python's primitives works like that, and who may
// overtake whom follows from it.
//
// Lifetime: a queue that is destroyed first lets go of its nodes. Their tasks
// stay suspended and can be cancelled; leave() tells them.
// Cost: every operation is O(1), amortised for wake_next(); nothing allocates.
#ifndef ASYNCIO_SYNC_INTERNAL_WAIT_QUEUE_H_
#define ASYNCIO_SYNC_INTERNAL_WAIT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class WaitQueue;

// A place in line.
struct PlaceInLine {
  PlaceInLine* prev;
  PlaceInLine* next;
};

class WaitNode final : public Waiter, private PlaceInLine {
 public:
  // "Lock.acquire": the primitive's name, a dot, what the task does in it.
  static constexpr WaiterKind kind_named(const char* name) {
    return {1, name, &WaitNode::cancel, nullptr};
  }

  // One that does not wait yet, and costs a store where it never does.
  WaitNode() = default;
  ABSL_ATTRIBUTE_ALWAYS_INLINE ~WaitNode() {
    if (waits()) [[unlikely]] drop();
  }

  // From park() to leave().
  bool waits() const { return queue_ != nullptr; }

  // leave() of one that release_all() let go of; false, and nothing done, of any
  // other. Says nothing of cancellation.
  bool leave_released() {
    if (place() != kReleased) return false;
    queue_ = nullptr;
    return true;
  }

  // Called first by the task when it has resumed: leaves, where it was woken and
  // not cancelled since, and the queue is there. False otherwise, also where it did
  // not wait: leave() is still to be called then, if it waits().
  inline bool leave_woken();
  // The same, however the wait ended. False where the queue, and so the primitive,
  // is gone.
  inline bool leave();
  // Whether the queue woke it; a cancellation may have come on top.
  bool woken() const { return task()->was_woken(); }

 private:
  friend class WaitQueue;

  static bool cancel(Waiter& waiter, std::string_view message);
  inline WaitQueue& unlink();
  // The frame is destroyed in the wait.
  void drop() noexcept;
  // What a node that waits has in the place of a queue.
  enum NoQueue : uintptr_t {
    kGone = 1,      // destroyed
    kReleased = 2,  // see release_all()
  };
  uintptr_t place() const { return reinterpret_cast<uintptr_t>(queue_); }
  bool queue_exists() const { return place() > kReleased; }
  void set_place(NoQueue place) {
    queue_ = reinterpret_cast<WaitQueue*>(place);
  }

  WaitQueue* queue_ = nullptr;
};

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue() {
    if (line_.next != &line_) [[unlikely]] detach();
  }

  // The frame of `leaf` suspends in the current task, at the back. Requires
  // !node.waits().
  void park(WaitNode& node, const WaiterKind& kind, PromiseBase& leaf) {
    node.set_kind(kind);
    node.queue_ = this;
    node.prev = line_.prev;
    node.next = &line_;
    node.prev->next = &node;
    line_.prev = &node;
    ++live_;
    step_task()->park(leaf, node);
  }

  // Whether anybody is in it who was not cancelled: who waits, or was woken and
  // has not run yet.
  bool any_live() const { return live_ != 0; }

  // The foremost that is neither woken nor cancelled; null where none is.
  WaitNode* next_waiting() {
    PlaceInLine* next = cursor_->next;
    while (next != &line_ && !node_at(next).task()->waiting()) {
      cursor_ = next;
      next = next->next;
    }
    return next != &line_ ? &node_at(next) : nullptr;
  }
  // Wakes that one; false where none is.
  bool wake_next() {
    while (cursor_->next != &line_) {
      cursor_ = cursor_->next;
      if (wake(node_at(cursor_))) return true;
    }
    return false;
  }
  // Wakes all who wait.
  void wake_all() {
    while (wake_next()) {
    }
  }
  // The same, and lets go of all in line, for leave_released(): of a primitive that
  // does not mind who is still in it.
  void release_all() {
    PlaceInLine* next = line_.next;
    if (next == &line_) return;
    line_.prev = line_.next = cursor_ = &line_;
    live_ = 0;
    do {
      WaitNode& node = node_at(next);
      next = next->next;
      node.set_place(WaitNode::kReleased);
      wake(node);
    } while (next != &line_);
  }
  // fn(const WaitNode&) of each in line that was not cancelled, for reports.
  template <class F>
  void for_each_live(F fn) const {
    for (PlaceInLine* link = line_.next; link != &line_; link = link->next) {
      const WaitNode& node = node_at(link);
      if (!node.task()->was_cancelled()) fn(node);
    }
  }
  // Wakes the foremost of all, unless that was woken or cancelled before.
  void wake_front() {
    if (any_live()) wake(node_at(line_.next));
  }

 private:
  friend class WaitNode;
  static WaitNode& node_at(PlaceInLine* link) {
    return static_cast<WaitNode&>(*link);
  }
  // False where it was woken or cancelled before, or its loop is being destroyed.
  static bool wake(WaitNode& node) { return node.task()->wake_unrefused(); }
  void detach() noexcept;

  PlaceInLine line_{&line_, &line_};  // a ring: the foremost is line_.next
  // Nobody up to it waits: who was woken or cancelled never waits again without
  // going to the back.
  PlaceInLine* cursor_ = &line_;
  size_t live_ = 0;
};

inline WaitQueue& WaitNode::unlink() {
  WaitQueue& queue = *std::exchange(queue_, nullptr);
  prev->next = next;
  next->prev = prev;
  if (queue.cursor_ == this) queue.cursor_ = prev;
  return queue;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool WaitNode::leave_woken() {
  if (!queue_exists() || step_task()->wait_cancelled()) [[unlikely]] {
    return false;
  }
  --unlink().live_;
  return true;
}

inline bool WaitNode::leave() {
  if (!queue_exists()) [[unlikely]] {
    queue_ = nullptr;
    return false;
  }
  const bool live = !task()->was_cancelled();
  WaitQueue& queue = unlink();
  if (live) --queue.live_;
  return true;
}

[[noreturn]] void throw_destroyed(const WaiterKind& kind);
// In the resumed task, of a wait that no wake-up has ended: CancelledError, or the
// same where it was not cancelled. In line for check_cancelled()'s reason.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void throw_failed_wait(
    const WaiterKind& kind) {
  step_task()->check_cancelled();
  throw_destroyed(kind);
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_WAIT_QUEUE_H_
