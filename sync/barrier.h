// Barrier: tasks wait for each other until a given number of them has come.
//
//   Barrier ready(3);
//   const size_t index = co_await ready.wait();   // in each of three tasks
//   if (index == 0) tidy_up();
//
// A barrier fills; when the last party comes it drains: everybody goes on, and
// who comes meanwhile waits until the barrier is empty and fills again.
//
// Order: indices are given in the order of coming, from 0.
// Cancellation: of a task that waits while the barrier fills takes that task
// out; the barrier is not broken by it.
// Lifetime: destroyed with waiters it lets go of them: they can be cancelled.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: a wait takes frames from the pool.
#ifndef ASYNCIO_SYNC_BARRIER_H_
#define ASYNCIO_SYNC_BARRIER_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "asyncio/sync/condition.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class Barrier {
 public:
  // ValueError("parties must be > 0")
  explicit Barrier(ptrdiff_t parties);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // -> the caller's index, 0 to parties() - 1, when all have come.
  // BrokenBarrierError where the barrier is broken, or reset meanwhile.
  Coroutine<size_t> wait();
  // Empties the barrier: who waits gets BrokenBarrierError. A broken one that
  // is empty is whole again.
  Coroutine<> reset();
  // Breaks it: who waits, and who comes, gets BrokenBarrierError until reset().
  Coroutine<> abort();

  size_t parties() const { return parties_; }
  // How many wait for it to fill; 0 while it drains.
  size_t n_waiting() const { return state_ == kFilling ? count_ : 0; }
  bool broken() const { return state_ == kBroken; }

  // For with(): waits, and gives the index to the body.
  Coroutine<size_t> aenter() { return wait(); }
  class [[nodiscard]] Exit : public internal::LibraryAwaiter {
   public:
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    bool await_resume() const { return false; }
  };
  Exit aexit(std::exception_ptr) { return Exit(); }

 private:
  enum State : uint8_t { kFilling, kDraining, kResetting, kBroken };

  void leave();

  const size_t parties_;
  size_t count_ = 0;  // tasks inside
  State state_ = kFilling;
  Condition changed_;  // the state, or that it is empty
  internal::Anchor anchor_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_BARRIER_H_
