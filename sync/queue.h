// Queue, PriorityQueue, LifoQueue: pass items from tasks to tasks.
//
//   Queue<std::string> jobs(100);             // at most 100 wait; 0: no limit
//   co_await jobs.put("first");               // waits while it is full
//   std::string job = co_await jobs.get();    // waits while it is empty
//   jobs.task_done();                         // for whoever awaits jobs.join()
//
//   jobs.shutdown();   // no more puts; gets drain it, then throw QueueShutDown
//
// A Queue gives the oldest item first, a LifoQueue the latest, a PriorityQueue
// the smallest by Compare; which of several equal ones, is that of Python's
// heapq.
//
// Items are moved in and out; they need no copy. put() and emplace() keep what
// they were given until there is room.
//
// Order: first come, first served, at either end; but who was woken looks again
// in its turn, and where another task took the item or the room meanwhile, it
// goes to the end of the line.
// Cancellation: of a waiter, woken before or not, loses no item and no wake-up.
// Errors: an item whose move or comparison throws is either in the queue or
// where it came from, and the queue works on. (Of a PriorityQueue's items one
// whose move may throw is kept behind a pointer.)
// Lifetime: destroyed with waiters it lets go of them: they can still be
// cancelled; one that was woken already gets RuntimeError.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: O(1), of a PriorityQueue O(log n); waiting allocates nothing, nor does
// a steady flow of items. (They lie in blocks of some 512 bytes, of which up to 8 KiB
// are kept: filled and emptied by more than that, it allocates one a block.)
#ifndef ASYNCIO_SYNC_QUEUE_H_
#define ASYNCIO_SYNC_QUEUE_H_

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/sync/internal/item_store.h"
#include "asyncio/sync/internal/put_request.h"
#include "asyncio/sync/internal/queue_core.h"
#include "asyncio/sync/internal/success.h"

namespace asyncio {

struct QueueShutdownOptions {
  bool immediate = false;
};

namespace internal {

template <class T, class Store>
class BasicQueue {
 public:
  using value_type = T;

  // maxsize <= 0: without a limit.
  explicit BasicQueue(ptrdiff_t maxsize = 0) : core_(maxsize) {}

  // -> void, when there was room for it. QueueShutDown where there is no more
  // room for anything.
  PutRequest<BasicQueue, T> put(T item) {
    return PutRequest<BasicQueue, T>(*this, std::move(item));
  }
  // The same, with T(args...) made in its place; copies of the arguments are
  // kept.
  template <class... Args>
  PutRequest<BasicQueue, std::decay_t<Args>...> emplace(Args&&... args) {
    return PutRequest<BasicQueue, std::decay_t<Args>...>(
        *this, std::forward<Args>(args)...);
  }
  // QueueFull, QueueShutDown.
  void put_nowait(T item) { emplace_nowait(std::move(item)); }
  template <class... Args>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void emplace_nowait(Args&&... args) {
    core_.check_put();
    store_.emplace(std::forward<Args>(args)...);
    core_.added();
  }

  // -> T. QueueShutDown where it is empty and no item will come.
  GetRequest<BasicQueue> get() { return GetRequest<BasicQueue>(*this); }
  // QueueEmpty, QueueShutDown.
  ABSL_ATTRIBUTE_ALWAYS_INLINE T get_nowait() {
    core_.check_get();
    struct Taken {
      ~Taken() {
        if (success) core.taken();
      }
      QueueCore& core;
      Success<Store::kNeverThrows> success = {};
    } taken{core_};
    return store_.take();
  }

  size_t qsize() const { return core_.size(); }
  bool empty() const { return core_.empty(); }
  bool full() const { return core_.full(); }
  ptrdiff_t maxsize() const { return core_.maxsize(); }

  // Says that the work on an item that was got is done.
  // ValueError("task_done() called too many times").
  void task_done() { core_.task_done(); }
  // -> void, when task_done() was called for every item that was put.
  JoinRequest join() { return core_.join(); }

  // From here on put() throws QueueShutDown, and get() once the queue is empty;
  // also in those that wait. {.immediate = true} throws the items away, each as
  // if its task were done. It is for good; calling it again does no harm.
  void shutdown(QueueShutdownOptions options = {}) {
    core_.shut_down();
    if (options.immediate) {
      while (!core_.empty()) {
        store_.drop();
        core_.dropped();
      }
    }
    core_.wake_everybody();
  }

 private:
  friend class GetAwaiter<BasicQueue>;
  template <class Q, class... Args>
  friend class PutAwaiter;

  QueueCore core_;
  Store store_;
};

}  // namespace internal

template <class T>
class Queue : public internal::BasicQueue<T, internal::FifoStore<T>> {
 public:
  using internal::BasicQueue<T, internal::FifoStore<T>>::BasicQueue;
};

template <class T, class Compare = std::less<T>>
class PriorityQueue
    : public internal::BasicQueue<T, internal::HeapStore<T, Compare>> {
 public:
  using internal::BasicQueue<T, internal::HeapStore<T, Compare>>::BasicQueue;
};

template <class T>
class LifoQueue : public internal::BasicQueue<T, internal::LifoStore<T>> {
 public:
  using internal::BasicQueue<T, internal::LifoStore<T>>::BasicQueue;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_QUEUE_H_
