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

#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class WaitQueue;

class WaitNode final : public Waiter {
 public:
  // "Lock.acquire": the primitive's name, a dot, what the task does in it.
  static constexpr WaiterKind kind_named(const char* name) {
    return {1, name, &WaitNode::cancel, nullptr};
  }

  explicit WaitNode(const WaiterKind& kind) : Waiter(kind) {}
  ~WaitNode() {
    if (queue_ != nullptr) unlink();
  }

  // Called first by the task when it has resumed. False where the queue, and so
  // the primitive, is gone.
  bool leave() {
    if (queue_ == nullptr) [[unlikely]] return false;
    unlink();
    return true;
  }
  // Whether the queue woke it; a cancellation may have come on top.
  bool woken() const { return state_ == kWoken; }

 private:
  friend class WaitQueue;
  enum State : uint8_t { kWaiting, kWoken, kCancelled };

  static bool cancel(Waiter& waiter, std::string_view message);
  void unlink();

  WaitNode* prev_;
  WaitNode* next_;
  WaitQueue* queue_ = nullptr;  // null while in none
  State state_;
};

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue() {
    if (first_ != nullptr) [[unlikely]] detach();
  }

  // The frame of `leaf` suspends in the current task, at the back.
  void park(WaitNode& node, PromiseBase& leaf) {
    node.prev_ = last_;
    node.next_ = nullptr;
    node.queue_ = this;
    node.state_ = WaitNode::kWaiting;
    (last_ == nullptr ? first_ : last_->next_) = &node;
    last_ = &node;
    if (cursor_ == nullptr) cursor_ = &node;
    ++live_;
    step.task->park(leaf, node);
  }

  // Whether anybody is in it who was not cancelled: who waits, or was woken and
  // has not run yet.
  bool any_live() const { return live_ != 0; }

  // The foremost that is neither woken nor cancelled; null where none is.
  WaitNode* next_waiting() {
    while (cursor_ != nullptr && cursor_->state_ != WaitNode::kWaiting) {
      cursor_ = cursor_->next_;
    }
    return cursor_;
  }
  // Wakes a node of this queue. False where it was woken or cancelled before,
  // or its loop is being destroyed.
  static bool wake(WaitNode& node) {
    if (node.state_ != WaitNode::kWaiting) return false;
    node.state_ = WaitNode::kWoken;
    return node.task()->wake();
  }

  // Wakes the foremost that is neither woken nor cancelled; false where none
  // is.
  bool wake_next() {
    while (cursor_ != nullptr) {
      WaitNode& node = *cursor_;
      cursor_ = node.next_;
      if (wake(node)) return true;
    }
    return false;
  }
  // Wakes all who wait.
  void wake_all() {
    while (wake_next()) {
    }
  }
  // fn(const WaitNode&) of each in line that was not cancelled, for reports.
  template <class F>
  void for_each_live(F fn) const {
    for (const WaitNode* node = first_; node != nullptr; node = node->next_) {
      if (node->state_ != WaitNode::kCancelled) fn(*node);
    }
  }
  // Wakes the foremost, unless that was woken or cancelled before.
  void wake_front() {
    if (first_ != nullptr) wake(*first_);
  }

 private:
  friend class WaitNode;
  void detach() noexcept;

  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
  // Nobody before it waits: who was woken or cancelled never waits again
  // without going to the back.
  WaitNode* cursor_ = nullptr;
  size_t live_ = 0;
};

inline void WaitNode::unlink() {
  WaitQueue& queue = *queue_;
  queue_ = nullptr;
  (prev_ == nullptr ? queue.first_ : prev_->next_) = next_;
  (next_ == nullptr ? queue.last_ : next_->prev_) = prev_;
  if (queue.cursor_ == this) queue.cursor_ = next_;
  if (state_ != kCancelled) --queue.live_;
}

// RuntimeError: the primitive that the task waited in is gone.
[[noreturn]] void throw_destroyed(const WaiterKind& kind);

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_WAIT_QUEUE_H_
