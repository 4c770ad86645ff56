// Python's primitives, statement by statement as asyncio/locks.py and queues.py
// have them, with a future for each wait: the plain model of ours.
#ifndef ASYNCIO_TESTS_SYNC_PLAIN_PRIMITIVES_H_
#define ASYNCIO_TESTS_SYNC_PLAIN_PRIMITIVES_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/sync/queue.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"

namespace asyncio::plain {

using Waiters = std::deque<Future<>>;

class Lock {
 public:
  Coroutine<bool> acquire() {
    const bool all_cancelled =
        std::ranges::all_of(waiters_, [](auto& w) { return w.cancelled(); });
    if (!locked_ && all_cancelled) {
      locked_ = true;
      co_return true;
    }
    Future<> fut = create_future();
    waiters_.push_back(fut);
    Result<> waited = co_await as_result(fut);
    std::erase(waiters_, fut);
    if (!waited) {
      if (!locked_) wake_up_first();
      waited.rethrow();
    }
    locked_ = true;
    co_return true;
  }
  void release() {
    if (!locked_) throw RuntimeError("Lock is not acquired.");
    locked_ = false;
    wake_up_first();
  }
  bool locked() const { return locked_; }

 private:
  void wake_up_first() {
    if (waiters_.empty() || waiters_.front().done()) return;
    waiters_.front().set_result();
  }

  bool locked_ = false;
  Waiters waiters_;
};

class Event {
 public:
  bool is_set() const { return value_; }
  void set() {
    if (value_) return;
    value_ = true;
    for (Future<>& fut : waiters_) {
      if (!fut.done()) fut.set_result();
    }
  }
  void clear() { value_ = false; }
  Coroutine<bool> wait() {
    if (value_) co_return true;
    Future<> fut = create_future();
    waiters_.push_back(fut);
    Result<> waited = co_await as_result(fut);
    std::erase(waiters_, fut);
    waited.rethrow();
    co_return true;
  }

 private:
  bool value_ = false;
  Waiters waiters_;
};

class Condition {
 public:
  Coroutine<bool> acquire() { return lock_.acquire(); }
  void release() { lock_.release(); }
  bool locked() const { return lock_.locked(); }

  Coroutine<bool> wait() {
    if (!locked()) throw RuntimeError("cannot wait on un-acquired lock");
    Future<> fut = create_future();
    release();
    waiters_.push_back(fut);
    Result<> waited = co_await as_result(fut);
    std::erase(waiters_, fut);
    std::exception_ptr error = waited.exception();
    for (;;) {
      Result<bool> acquired = co_await as_result(acquire());
      if (acquired) break;
      error = acquired.exception();
    }
    if (error) {
      notify_some(1);
      std::rethrow_exception(error);
    }
    co_return true;
  }
  Coroutine<bool> wait_for(std::function<bool()> predicate) {
    while (!predicate()) co_await wait();
    co_return true;
  }
  void notify(size_t n = 1) {
    if (!locked()) throw RuntimeError("cannot notify on un-acquired lock");
    notify_some(n);
  }
  void notify_all() { notify(waiters_.size()); }

 private:
  void notify_some(size_t n) {
    for (Future<>& fut : waiters_) {
      if (n == 0) break;
      if (fut.done()) continue;
      --n;
      fut.set_result();
    }
  }

  Lock lock_;
  Waiters waiters_;
};

class Semaphore {
 public:
  explicit Semaphore(ptrdiff_t value) : value_(value) {}
  virtual ~Semaphore() = default;

  bool locked() const {
    return value_ == 0 || std::ranges::any_of(waiters_, [](auto& w) {
             return !w.cancelled();
           });
  }
  Coroutine<bool> acquire() {
    if (!locked()) {
      --value_;
      co_return true;
    }
    Future<> fut = create_future();
    waiters_.push_back(fut);
    Result<> waited = co_await as_result(fut);
    std::erase(waiters_, fut);
    if (!waited && !fut.cancelled()) ++value_;
    while (value_ > 0 && wake_up_next()) {
    }
    waited.rethrow();
    co_return true;
  }
  virtual void release() {
    ++value_;
    wake_up_next();
  }

 protected:
  ptrdiff_t value_;

 private:
  bool wake_up_next() {
    for (Future<>& fut : waiters_) {
      if (fut.done()) continue;
      --value_;
      fut.set_result();
      return true;
    }
    return false;
  }

  Waiters waiters_;
};

class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(ptrdiff_t value)
      : Semaphore(value), bound_(value) {}
  void release() override {
    if (value_ >= bound_) {
      throw ValueError("BoundedSemaphore released too many times");
    }
    Semaphore::release();
  }

 private:
  const ptrdiff_t bound_;
};

class Barrier {
 public:
  explicit Barrier(size_t parties) : parties_(parties) {}

  Coroutine<size_t> wait() {
    co_await cond_.acquire();
    Result<size_t> index = co_await as_result(wait_inside());
    cond_.release();
    co_return index.value();
  }
  Coroutine<> reset() {
    co_await cond_.acquire();
    state_ = count_ > 0 ? kResetting : kFilling;
    cond_.notify_all();
    cond_.release();
  }
  Coroutine<> abort() {
    co_await cond_.acquire();
    state_ = kBroken;
    cond_.notify_all();
    cond_.release();
  }
  size_t parties() const { return parties_; }
  size_t n_waiting() const { return state_ == kFilling ? count_ : 0; }
  bool broken() const { return state_ == kBroken; }

 private:
  enum State { kFilling, kDraining, kResetting, kBroken };

  Coroutine<size_t> wait_inside() {
    co_await cond_.wait_for(
        [this] { return state_ != kDraining && state_ != kResetting; });
    if (state_ == kBroken) throw BrokenBarrierError("Barrier aborted");
    const size_t index = count_++;
    std::exception_ptr error;
    if (index + 1 == parties_) {
      state_ = kDraining;
      cond_.notify_all();
    } else {
      Result<bool> waited = co_await as_result(
          cond_.wait_for([this] { return state_ != kFilling; }));
      error = waited.exception();
      if (!error && (state_ == kBroken || state_ == kResetting)) {
        error = std::make_exception_ptr(
            BrokenBarrierError("Abort or reset of barrier"));
      }
    }
    if (--count_ == 0) {
      if (state_ == kResetting || state_ == kDraining) state_ = kFilling;
      cond_.notify_all();
    }
    if (error) std::rethrow_exception(error);
    co_return index;
  }

  Condition cond_;
  const size_t parties_;
  State state_ = kFilling;
  size_t count_ = 0;
};

template <class T>
class FifoItems {
 public:
  void put(T item) { items_.push_back(std::move(item)); }
  T get() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  size_t size() const { return items_.size(); }

 private:
  std::deque<T> items_;
};

template <class T>
class LifoItems {
 public:
  void put(T item) { items_.push_back(std::move(item)); }
  T get() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  size_t size() const { return items_.size(); }

 private:
  std::vector<T> items_;
};

// heapq.py.
template <class T>
class HeapItems {
 public:
  void put(T item) {
    heap_.push_back(std::move(item));
    sift_down(0, heap_.size() - 1);
  }
  T get() {
    T last = std::move(heap_.back());
    heap_.pop_back();
    if (heap_.empty()) return last;
    T item = std::exchange(heap_[0], std::move(last));
    sift_up(0);
    return item;
  }
  size_t size() const { return heap_.size(); }

 private:
  void sift_down(size_t start, size_t pos) {
    T item = heap_[pos];
    while (pos > start) {
      const size_t parent = (pos - 1) >> 1;
      if (!(item < heap_[parent])) break;
      heap_[pos] = heap_[parent];
      pos = parent;
    }
    heap_[pos] = item;
  }
  void sift_up(size_t pos) {
    const size_t end = heap_.size();
    const size_t start = pos;
    T item = heap_[pos];
    size_t child = 2 * pos + 1;
    while (child < end) {
      const size_t right = child + 1;
      if (right < end && !(heap_[child] < heap_[right])) child = right;
      heap_[pos] = heap_[child];
      pos = child;
      child = 2 * pos + 1;
    }
    heap_[pos] = item;
    sift_down(start, pos);
  }

  std::vector<T> heap_;
};

template <class T, class Items>
class BasicQueue {
 public:
  explicit BasicQueue(ptrdiff_t maxsize) : maxsize_(maxsize) {
    finished_.set();
  }

  size_t qsize() const { return items_.size(); }
  bool empty() const { return qsize() == 0; }
  bool full() const {
    return maxsize_ > 0 && qsize() >= static_cast<size_t>(maxsize_);
  }

  Coroutine<> put(T item) {
    while (full()) {
      if (is_shutdown_) throw QueueShutDown();
      co_await wait_in(putters_, [this] { return !full(); });
    }
    put_nowait(std::move(item));
  }
  void put_nowait(T item) {
    if (is_shutdown_) throw QueueShutDown();
    if (full()) throw QueueFull();
    items_.put(std::move(item));
    ++unfinished_;
    finished_.clear();
    wakeup_next(getters_);
  }
  Coroutine<T> get() {
    while (empty()) {
      if (is_shutdown_) throw QueueShutDown();
      co_await wait_in(getters_, [this] { return !empty(); });
    }
    co_return get_nowait();
  }
  T get_nowait() {
    if (empty()) {
      if (is_shutdown_) throw QueueShutDown();
      throw QueueEmpty();
    }
    T item = items_.get();
    wakeup_next(putters_);
    return item;
  }
  void task_done() {
    if (unfinished_ == 0) {
      throw ValueError("task_done() called too many times");
    }
    if (--unfinished_ == 0) finished_.set();
  }
  Coroutine<> join() {
    if (unfinished_ > 0) co_await finished_.wait();
  }
  void shutdown(QueueShutdownOptions options = {}) {
    is_shutdown_ = true;
    if (options.immediate) {
      while (!empty()) {
        items_.get();
        if (unfinished_ > 0) --unfinished_;
      }
      if (unfinished_ == 0) finished_.set();
    }
    wakeup_all(getters_);
    wakeup_all(putters_);
  }

 private:
  Coroutine<> wait_in(Waiters& waiters, std::function<bool()> possible) {
    Future<> fut = create_future();
    waiters.push_back(fut);
    Result<> waited = co_await as_result(fut);
    if (waited) co_return;
    fut.cancel();
    std::erase(waiters, fut);
    if (possible() && !fut.cancelled()) wakeup_next(waiters);
    waited.rethrow();
  }
  static void wakeup_next(Waiters& waiters) {
    while (!waiters.empty()) {
      Future<> fut = waiters.front();
      waiters.pop_front();
      if (fut.done()) continue;
      fut.set_result();
      break;
    }
  }
  static void wakeup_all(Waiters& waiters) {
    while (!waiters.empty()) wakeup_next(waiters);
  }

  const ptrdiff_t maxsize_;
  Items items_;
  Waiters getters_, putters_;
  size_t unfinished_ = 0;
  Event finished_;
  bool is_shutdown_ = false;
};

template <class T>
using Queue = BasicQueue<T, FifoItems<T>>;
template <class T>
using LifoQueue = BasicQueue<T, LifoItems<T>>;
template <class T>
using PriorityQueue = BasicQueue<T, HeapItems<T>>;

}  // namespace asyncio::plain

#endif  // ASYNCIO_TESTS_SYNC_PLAIN_PRIMITIVES_H_
