// RWLock: lets many readers at a time, or one writer alone, through a section
// that awaits.
//
//   RWLock lock;
//   auto row = co_await with(lock.reading(), [&] { return look_up(table, key); });
//   co_await with(lock.writing(), [&] { return rebuild(table); });
//
//   auto held = co_await lock.reading().scoped_acquire();   // until the scope's end
//
//   co_await lock.acquire_write();                          // by hand
//   lock.release_write();
//
// Order: first come, first served. Who waits is overtaken by nobody: a waiting
// writer stops the readers that come after it, so it is not starved; when a
// writer leaves, the readers at the head of the line go together, up to the next
// writer. Whoever is next is handed the lock by the release, and goes on in its
// turn. It belongs to no task in particular: a reader that wants to write, too,
// waits for itself for ever.
// Cancellation: a cancelled waiter, handed the lock before or not, leaves it to
// the next; the readers behind a cancelled writer go.
// Lifetime: destroyed with waiters it lets go of them: they can still be
// cancelled; one that was handed the lock already gets RuntimeError.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: no allocation; without contention some instructions, no turn of the
// loop.
#ifndef ASYNCIO_SYNC_RW_LOCK_H_
#define ASYNCIO_SYNC_RW_LOCK_H_

#include <cstddef>
#include <cstdint>
#include <exception>

#include "asyncio/sync/acquired.h"
#include "asyncio/sync/internal/acquire.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class RWLock {
  enum class Access : uint8_t { kRead, kWrite };

 public:
  // The lock as its readers, or its writers, see it: it is acquired and
  // released like a Lock.
  template <Access kAccess>
  class Side {
   public:
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    // -> true, when the caller has it.
    internal::AcquireRequest<Side, bool> acquire() {
      return internal::AcquireRequest<Side, bool>(*this);
    }
    // -> Acquired<Side>, which releases it.
    internal::AcquireRequest<Side, Acquired<Side>> scoped_acquire() {
      return internal::AcquireRequest<Side, Acquired<Side>>(*this);
    }
    // RuntimeError("RWLock is not acquired for reading."), "... for writing."
    void release() { lock_.release(kAccess); }
    // Whether anybody has it for this.
    bool locked() const {
      return kAccess == Access::kRead ? lock_.readers_ != 0 : lock_.writer_;
    }

    // For with().
    internal::AcquireRequest<Side, void> aenter() {
      return internal::AcquireRequest<Side, void>(*this);
    }
    internal::ReleaseRequest<Side> aexit(std::exception_ptr) {
      return internal::ReleaseRequest<Side>(*this);
    }

   private:
    friend class RWLock;
    template <class M, class R>
    friend class internal::AcquireAwaiter;
    template <class M>
    friend class Acquired;

    explicit Side(RWLock& lock) : lock_(lock) {}

    bool try_acquire() { return lock_.try_acquire(kAccess); }
    void prepare_wait() { lock_.binding_.check("RWLock"); }
    internal::WaitQueue& wait_queue() { return lock_.waiters_; }
    void take_turn() {}  // it was counted when it was handed over
    static void give_up(Side& side, internal::WaitNode& node) noexcept {
      if (node.leave()) side.lock_.pass_on(kAccess, node);
    }

    static constexpr internal::WaiterKind kKind =
        internal::WaitNode::kind_named(kAccess == Access::kRead
                                           ? "RWLock.acquire_read"
                                           : "RWLock.acquire_write");
    RWLock& lock_;
    internal::Anchor anchor_;
  };
  using Reading = Side<Access::kRead>;
  using Writing = Side<Access::kWrite>;

  RWLock() : reading_(*this), writing_(*this) {}
  RWLock(const RWLock&) = delete;
  RWLock& operator=(const RWLock&) = delete;

  Reading& reading() { return reading_; }
  Writing& writing() { return writing_; }

  // -> true, when the caller reads, writes.
  internal::AcquireRequest<Reading, bool> acquire_read() {
    return reading_.acquire();
  }
  internal::AcquireRequest<Writing, bool> acquire_write() {
    return writing_.acquire();
  }
  void release_read() { reading_.release(); }
  void release_write() { writing_.release(); }

 private:
  bool try_acquire(Access access) {
    if (!admits(access) || waiters_.next_waiting() != nullptr) return false;
    enter(access);
    return true;
  }
  // As far as those inside are concerned.
  bool admits(Access access) const {
    return !writer_ && (access == Access::kRead || readers_ == 0);
  }
  void enter(Access access) {
    if (access == Access::kRead) {
      ++readers_;
    } else {
      writer_ = true;
    }
  }
  void leave(Access access) {
    if (access == Access::kRead) {
      --readers_;
    } else {
      writer_ = false;
    }
    if (waiters_.next_waiting() != nullptr) hand_on();
  }
  void release(Access access) {
    const bool held = access == Access::kRead ? readers_ != 0 : writer_;
    if (!held) [[unlikely]] throw_not_acquired(access);
    leave(access);
  }
  // To as many at the head of the line as can be inside.
  void hand_on();
  // Of one who was in line and has left it without the lock.
  void pass_on(Access access, const internal::WaitNode& node);
  [[noreturn]] static void throw_not_acquired(Access access);

  // Those inside, and those who were handed the lock and have not run yet.
  size_t readers_ = 0;
  bool writer_ = false;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
  Reading reading_;
  Writing writing_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_RW_LOCK_H_
