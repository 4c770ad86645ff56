// BroadcastCore: everything of a broadcast that does not depend on its items:
// how many were sent, which are kept, who waits, how many handles are left.
//
// An item has a number, from 0; each subscription knows the number of its next.
// Whoever waits is woken by each item and takes nothing until its turn: so
// nothing is lost where it is cancelled.
//
// Threads: all of it. The lock of a broadcast comes before that of a mailbox.
#ifndef ASYNCIO_SYNC_INTERNAL_BROADCAST_CORE_H_
#define ASYNCIO_SYNC_INTERNAL_BROADCAST_CORE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/mailbox.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

// A receiver was too slow: items it had not seen made room for newer ones.
class Lagged : public RuntimeError {
 public:
  explicit Lagged(uint64_t missed);
  // How many, since the last item it was given.
  uint64_t missed() const { return missed_; }

 private:
  uint64_t missed_;
};

}  // namespace asyncio

namespace asyncio::internal {

// Who waits for an item. Guarded by the broadcast's mutex.
class BroadcastWaiter {
 public:
  BroadcastWaiter(const BroadcastWaiter&) = delete;
  BroadcastWaiter& operator=(const BroadcastWaiter&) = delete;

 protected:
  BroadcastWaiter() = default;
  ~BroadcastWaiter() = default;
  bool in_line() const { return in_line_; }

 private:
  friend class BroadcastCore;
  virtual void wake() noexcept = 0;

  bool in_line_ = false;
  BroadcastWaiter* prev_ = nullptr;
  BroadcastWaiter* next_ = nullptr;
};

class BroadcastCore {
 public:
  using Lock = std::unique_lock<std::mutex>;

  // ValueError where it is 0.
  explicit BroadcastCore(size_t capacity);
  BroadcastCore(const BroadcastCore&) = delete;
  BroadcastCore& operator=(const BroadcastCore&) = delete;

  size_t capacity() const { return capacity_; }
  size_t receiver_count() const;
  bool is_closed() const;
  void close();
  // The last sender closes it.
  void add_sender();
  void drop_sender() noexcept;

  Lock lock() const { return Lock(mutex_); }

  // --- With the lock.

  size_t receivers() const { return receivers_; }
  // Gives the number of its first item.
  uint64_t add_receiver();
  // Whether it was the last.
  [[nodiscard]] bool drop_receiver() noexcept { return --receivers_ == 0; }

  // Whether a receiver whose next item is `number` need not wait.
  bool ready(uint64_t number) const { return number < sent_ || closed_; }
  // Whether item `number` is there; not is the end. Lagged, after which
  // `number` is that of the oldest kept.
  bool look(uint64_t& number) const;
  void check_open() const;
  uint64_t sent_count() const { return sent_; }
  // An item came in.
  void sent() {
    ++sent_;
    wake_all();
  }
  void enter(BroadcastWaiter& waiter);
  void leave(BroadcastWaiter& waiter) noexcept;

 protected:
  ~BroadcastCore() = default;

 private:
  void wake_all() noexcept;

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards the rest
  uint64_t sent_ = 0;
  bool closed_ = false;
  size_t senders_ = 0;
  size_t receivers_ = 0;
  BroadcastWaiter* first_ = nullptr;
  BroadcastWaiter* last_ = nullptr;
};

// A task that waits, in the awaiting frame, which keeps the broadcast.
class BroadcastTaskWait final : public Waiter,
                                public BroadcastWaiter,
                                private Letter {
 public:
  // With the lock: the task joins the line.
  explicit BroadcastTaskWait(BroadcastCore& core);
  ~BroadcastTaskWait();

  // After that; gives the lock up.
  void park(PromiseBase& leaf, BroadcastCore::Lock lock);

 private:
  void wake() noexcept override;
  void delivered() noexcept override;
  // The others were woken too.
  void undeliverable() noexcept override {}

  BroadcastCore& core_;
  EventLoop& loop_;
  Mailbox& mailbox_;
  bool mailed_ = false;  // guarded by the broadcast's mutex
};

// A thread that waits, on its stack.
class BroadcastThreadWait final : public BroadcastWaiter {
 public:
  // Blocks until it is woken. TimeoutError, and RuntimeError in a thread that
  // runs a loop.
  void wait(BroadcastCore& core, BroadcastCore::Lock& lock,
            std::optional<Duration> timeout);

 private:
  void wake() noexcept override { woken_.notify_one(); }

  std::condition_variable woken_;
};

// Throws CancelledError where the resumed task is cancelled.
void check_broadcast_cancelled();
[[noreturn]] void throw_broadcast_busy();

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_BROADCAST_CORE_H_
