// Condition: lets tasks that hold a lock wait until another task says that
// something has changed.
//
//   Condition changed;
//   // a consumer
//   auto held = co_await changed.scoped_acquire();
//   co_await changed.wait_for([&] { return !items.empty(); });
//   // a producer
//   co_await with(changed, [&] { items.push_back(1); changed.notify(); });
//
// wait() releases the lock, waits to be notified, and acquires the lock again
// before it returns, on every way out. It may return although nothing changed
// for this task: wait_for() looks again.
//
// Order: notify() wakes the tasks that have waited longest; each goes on when
// it has the lock.
// Cancellation: a cancelled wait() acquires the lock first, however many
// cancellations arrive meanwhile; then it notifies another waiter in its place
// and throws the latest CancelledError.
// Lifetime: a lock that is given outlives the condition. Destroyed with waiters
// it lets go of them: they can be cancelled, and do not acquire a lock that is
// gone.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: a wait is one frame from the pool.
#ifndef ASYNCIO_SYNC_CONDITION_H_
#define ASYNCIO_SYNC_CONDITION_H_

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/sync/acquired.h"
#include "asyncio/sync/internal/acquire.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/sync/lock.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

class Condition {
 public:
  // With a lock of its own.
  Condition() : lock_(&own_lock_.emplace()) {}
  // With `lock`; null: with its own.
  explicit Condition(Lock* lock)
      : lock_(lock != nullptr ? lock : &own_lock_.emplace()) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Those of the lock.
  internal::AcquireRequest<Lock, bool> acquire() { return lock_->acquire(); }
  internal::AcquireRequest<Lock, Acquired<Lock>> scoped_acquire() {
    return lock_->scoped_acquire();
  }
  void release() { lock_->release(); }
  bool locked() const { return lock_->locked(); }

  // -> true, when notified and in possession of the lock.
  // RuntimeError("cannot wait on un-acquired lock").
  Coroutine<bool> wait();

  // Waits until predicate() is true, which it may be at once; -> what it
  // returned.
  template <class P>
  Coroutine<std::invoke_result_t<P&>> wait_for(P predicate) {
    internal::Tether tether(anchor_);
    std::invoke_result_t<P&> result = predicate();
    while (!result) {
      co_await wait();
      if (!tether.holds()) throw_destroyed();
      result = predicate();
    }
    co_return result;
  }

  // Wakes the first n who wait, or all. RuntimeError("cannot notify on
  // un-acquired lock").
  void notify(ptrdiff_t n = 1);
  void notify_all();

  // For with().
  internal::AcquireRequest<Lock, void> aenter() { return lock_->aenter(); }
  internal::ReleaseRequest<Lock> aexit(std::exception_ptr e) {
    return lock_->aexit(e);
  }

 private:
  class Notification;
  class Notified;
  class Reacquired;
  [[noreturn]] static void throw_destroyed();
  void check_locked(const char* message) const;
  void wake(ptrdiff_t n);

  std::optional<Lock> own_lock_;
  Lock* const lock_;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
  internal::Anchor anchor_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_CONDITION_H_
