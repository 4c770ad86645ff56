// ReadyQueue: the first-in first-out list of what is to run, and Inbox: the door
// by which other threads add to it. Both are intrusive lists of ReadyNodes.
#ifndef ASYNCIO_LOOP_INTERNAL_READY_QUEUE_H_
#define ASYNCIO_LOOP_INTERNAL_READY_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "asyncio/base/internal/ready_node.h"

namespace asyncio::internal {

class ReadyQueue {
 public:
  ReadyQueue() = default;
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;

  bool empty() const { return head_ == end_mark(); }

  void push(ReadyNode& node) {
    node.next_ = end_mark();
    *tail_ = &node;
    tail_ = &node.next_;
  }

  // Before all others.
  void push_front(ReadyNode& node) {
    if (empty()) tail_ = &node.next_;
    node.next_ = std::exchange(head_, &node);
  }

  // Requires !empty().
  ReadyNode& pop() {
    ReadyNode* node = head_;
    head_ = node->next_;
    node->next_ = nullptr;
    if (head_ == end_mark()) tail_ = &head_;
    return *node;
  }

  // What was in a queue, taken out as a whole: to be gone through by next().
  class Batch {
   public:
    bool empty() const { return next_ == end_mark(); }
    // Requires !empty().
    ReadyNode& next() {
      ReadyNode& node = *next_;
      next_ = std::exchange(node.next_, nullptr);
      return node;
    }

   private:
    friend class ReadyQueue;
    explicit Batch(ReadyNode* first) : next_(first) {}
    ReadyNode* next_;
  };
  // Requires !empty(). What is pushed from here on is not in the batch.
  Batch take_all() {
    tail_ = &head_;
    return Batch(std::exchange(head_, end_mark()));
  }
  // What is left of a batch goes before all that is in the queue. It is walked
  // through, so that a batch need not know its end. (By value: so it stays in a
  // register.)
  void put_back(Batch rest) {
    ReadyNode** last = &rest.next_;
    while (*last != end_mark()) last = &(*last)->next_;
    if (last == &rest.next_) return;
    *last = head_;
    if (empty()) tail_ = last;
    head_ = rest.next_;
  }

 private:
  friend class Inbox;
  // What the last node points to: not null, so that null means "not queued".
  static ReadyNode* end_mark() {
    return reinterpret_cast<ReadyNode*>(uintptr_t{1});
  }

  ReadyNode* head_ = end_mark();
  ReadyNode** tail_ = &head_;
};

// A stack that any thread pushes to and the loop empties in one exchange; turned
// over, it is in the order of pushing. What is at its bottom says whether the loop
// sleeps, so that a push learns in one step whether it has to wake it.
class Inbox {
 public:
  // What a node came to lie on: whether the loop is to be told.
  class Pushed {
   public:
    // There is something now. (Where it is not the first, who was tells the loop.)
    bool first() const { return is_bottom(below_); }
    // And the loop sleeps: it has to be woken.
    bool first_since_sleep() const { return below_ == sleeping(); }

   private:
    friend class Inbox;
    explicit Pushed(const ReadyNode* below) : below_(below) {}
    const ReadyNode* below_;
  };

  // The node's owner must not touch its links until the loop has run it.
  [[nodiscard]] Pushed push(ReadyNode& node) {
    ReadyNode* head = head_.load(std::memory_order_relaxed);
    do {
      node.next_ = head;
    } while (!head_.compare_exchange_weak(head, &node));
    return Pushed(head);
  }

  bool empty() const {
    return is_bottom(head_.load(std::memory_order_relaxed));
  }

  // From now on the first push wakes the loop. False where something was pushed
  // before: then it must not sleep.
  [[nodiscard]] bool begin_sleep() {
    ReadyNode* head = ReadyQueue::end_mark();
    return head_.compare_exchange_strong(head, sleeping()) ||
           head == sleeping();  // a wait that threw did not end it
  }
  void end_sleep() {
    ReadyNode* head = sleeping();
    if (head_.load(std::memory_order_relaxed) != head) return;
    head_.compare_exchange_strong(head, ReadyQueue::end_mark());
  }

  void drain_to(ReadyQueue& queue) {
    if (empty()) return;
    ReadyNode* node = head_.exchange(ReadyQueue::end_mark());
    // Turned over, it ends in the queue's end mark already.
    ReadyNode* const newest = node;
    ReadyNode* oldest = ReadyQueue::end_mark();
    do {
      ReadyNode* older = node->next_;
      node->next_ = oldest;
      oldest = node;
      node = older;
    } while (!is_bottom(node));
    *queue.tail_ = oldest;
    queue.tail_ = &newest->next_;
  }

 private:
  // The bottom of the stack while the loop sleeps; otherwise it is the queue's end
  // mark. Both are odd.
  static ReadyNode* sleeping() {
    return reinterpret_cast<ReadyNode*>(uintptr_t{3});
  }
  static bool is_bottom(const ReadyNode* node) {
    return (reinterpret_cast<uintptr_t>(node) & 1) != 0;
  }

  std::atomic<ReadyNode*> head_{ReadyQueue::end_mark()};
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_READY_QUEUE_H_
