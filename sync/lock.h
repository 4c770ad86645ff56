// Lock: lets one task at a time through a section that awaits.
//
//   Lock lock;
//   co_await with(lock, [&]() -> Coroutine<> { co_await update(shared); });
//
//   auto held = co_await lock.scoped_acquire();   // until the end of the scope
//
//   co_await lock.acquire();                      // by hand
//   lock.release();
//
// Order: first come, first served. release() wakes the foremost waiter, which
// has the lock when its turn comes; nobody overtakes it meanwhile. A lock
// belongs to nobody in particular, and its holder who acquires it again waits
// for ever.
// Cancellation: a cancelled waiter, woken before or not, leaves the lock to the
// next.
// Lifetime: destroyed with waiters, it lets go of them: they can still be
// cancelled; one that was woken already gets RuntimeError.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: no allocation; without contention some instructions, no turn of the
// loop.
#ifndef ASYNCIO_SYNC_LOCK_H_
#define ASYNCIO_SYNC_LOCK_H_

#include <exception>

#include "asyncio/sync/acquired.h"
#include "asyncio/sync/internal/acquire.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // -> true, when the caller has it.
  internal::AcquireRequest<Lock, bool> acquire() {
    return internal::AcquireRequest<Lock, bool>(*this);
  }
  // -> Acquired<Lock>, which releases it.
  internal::AcquireRequest<Lock, Acquired<Lock>> scoped_acquire() {
    return internal::AcquireRequest<Lock, Acquired<Lock>>(*this);
  }

  // RuntimeError("Lock is not acquired.")
  void release() {
    if (!locked_) [[unlikely]] throw_not_acquired();
    locked_ = false;
    waiters_.wake_front();
  }

  bool locked() const { return locked_; }

  // For with().
  internal::AcquireRequest<Lock, void> aenter() {
    return internal::AcquireRequest<Lock, void>(*this);
  }
  internal::ReleaseRequest<Lock> aexit(std::exception_ptr) {
    return internal::ReleaseRequest<Lock>(*this);
  }

 private:
  template <class M, class R>
  friend class internal::AcquireAwaiter;
  template <class M>
  friend class Acquired;
  friend class Condition;

  bool try_acquire() {
    if (locked_ || waiters_.any_live()) return false;
    locked_ = true;
    return true;
  }
  void prepare_wait() { binding_.check("Lock"); }
  internal::WaitQueue& wait_queue() { return waiters_; }
  void take_turn() { locked_ = true; }
  static void give_up(Lock& lock, internal::WaitNode& node) noexcept;
  // A wake-up that somebody was given, or that stopped at them, goes on.
  void pass_on() {
    if (!locked_) waiters_.wake_front();
  }
  [[noreturn]] static void throw_not_acquired();

  static const internal::WaiterKind kKind;
  bool locked_ = false;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
  internal::Anchor anchor_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_LOCK_H_
