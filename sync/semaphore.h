// Semaphore: lets up to a number of tasks at a time through.
//
//   Semaphore connections(10);
//   co_await with(connections, [&] { return fetch(url); });
//
// It counts units: acquire() takes one, waiting while there is none; release()
// gives one back. BoundedSemaphore refuses more than it began with.
//
// Order: first come, first served. release() hands the unit to the foremost
// waiter, whose turn comes with the loop's; nobody overtakes who is waiting,
// not even while there are units left.
// Cancellation: a waiter that was handed a unit and is cancelled before it runs
// gives it to the next.
// Lifetime, Threads, Cost: as of Lock.
#ifndef ASYNCIO_SYNC_SEMAPHORE_H_
#define ASYNCIO_SYNC_SEMAPHORE_H_

#include <cstddef>
#include <exception>
#include <limits>

#include "asyncio/sync/acquired.h"
#include "asyncio/sync/internal/acquire.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class Semaphore {
 public:
  // ValueError where value < 0.
  explicit Semaphore(ptrdiff_t value = 1)
      : Semaphore(value, std::numeric_limits<ptrdiff_t>::max()) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // -> true, when the caller has a unit.
  internal::AcquireRequest<Semaphore, bool> acquire() {
    return internal::AcquireRequest<Semaphore, bool>(*this);
  }
  // -> Acquired<Semaphore>, which releases it.
  internal::AcquireRequest<Semaphore, Acquired<Semaphore>> scoped_acquire() {
    return internal::AcquireRequest<Semaphore, Acquired<Semaphore>>(*this);
  }

  // Of a BoundedSemaphore that has all its units:
  // ValueError("BoundedSemaphore released too many times").
  void release() {
    if (value_ >= bound_) [[unlikely]] throw_too_many();
    if (waiters_.any_live() && waiters_.wake_next()) return;
    ++value_;
  }

  // Whether acquire() would wait: there is no unit, or somebody is in line.
  bool locked() const { return value_ == 0 || waiters_.any_live(); }

  // For with().
  internal::AcquireRequest<Semaphore, void> aenter() {
    return internal::AcquireRequest<Semaphore, void>(*this);
  }
  internal::ReleaseRequest<Semaphore> aexit(std::exception_ptr) {
    return internal::ReleaseRequest<Semaphore>(*this);
  }

 protected:
  Semaphore(ptrdiff_t value, ptrdiff_t bound);

 private:
  template <class M, class R>
  friend class internal::AcquireAwaiter;
  template <class M>
  friend class Acquired;

  bool try_acquire() {
    if (locked()) return false;
    --value_;
    return true;
  }
  void prepare_wait() { binding_.check("Semaphore"); }
  internal::WaitQueue& wait_queue() { return waiters_; }
  void take_turn() { hand_on(); }
  static void give_up(Semaphore& semaphore, internal::WaitNode& node) noexcept;
  // Of one who was in line and has left it without a unit.
  void pass_on(const internal::WaitNode& node);
  // Whoever came while the last one was in line had to wait behind it.
  void hand_on() {
    while (value_ > 0 && hand_out()) {
    }
  }
  // One unit to the foremost who waits; false where nobody does.
  bool hand_out() {
    if (!waiters_.wake_next()) return false;
    --value_;
    return true;
  }
  [[noreturn]] static void throw_too_many();

  static const internal::WaiterKind kKind;
  ptrdiff_t value_;  // units that nobody holds or was handed; never negative
  const ptrdiff_t bound_;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
  internal::Anchor anchor_;
};

class BoundedSemaphore : public Semaphore {
 public:
  explicit BoundedSemaphore(ptrdiff_t value = 1) : Semaphore(value, value) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_SEMAPHORE_H_
