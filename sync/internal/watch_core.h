// WatchCore: everything of a watch that does not depend on its value: how new
// that is, who waits for a newer one, how many handles are left.
//
// A newer value wakes all who wait. Nothing is handed to anybody, so that a
// wake-up whose task was cancelled, or whose loop is gone, is missed by nobody.
//
// Threads: all of it. The lock of a watch comes before that of a mailbox.
#ifndef ASYNCIO_SYNC_INTERNAL_WATCH_CORE_H_
#define ASYNCIO_SYNC_INTERNAL_WATCH_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/mailbox.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class WatchWait;

class WatchCore : public std::enable_shared_from_this<WatchCore> {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using Version = uint64_t;

  WatchCore() = default;
  WatchCore(const WatchCore&) = delete;
  WatchCore& operator=(const WatchCore&) = delete;

  bool is_closed() const;
  Version version() const;
  size_t receiver_count() const;
  // The last sender closes it.
  void add_sender();
  void drop_sender() noexcept;
  void add_receiver();
  void drop_receiver() noexcept;

  Lock lock() const { return Lock(mutex_); }

  // --- With the lock.

  // Whether a wait of somebody who saw `seen` last is over.
  bool over(Version seen) const { return version_ != seen || closed_; }
  // After that: what is seen now. ChannelClosed where it is nothing new.
  Version newer(Version seen) const;
  Version newest() const { return version_; }
  // Requires a newer value to be in place.
  void changed() noexcept {
    ++version_;
    wake_all();
  }

 protected:
  ~WatchCore() = default;

 private:
  friend class WatchWait;
  void enter(WatchWait& wait) noexcept;
  void unlink(WatchWait& wait) noexcept;
  void wake_all() noexcept;

  mutable std::mutex mutex_;  // guards the rest
  Version version_ = 0;
  bool closed_ = false;
  size_t senders_ = 0;
  size_t receivers_ = 0;
  WatchWait* first_ = nullptr;  // who waits, in no order
};

// A task that waits, in the awaiting frame.
class WatchWait final : public Waiter, private Letter {
 public:
  // With the lock.
  WatchWait(WatchCore& core, WatchCore::Version seen);
  ~WatchWait();

  // After that, without the lock. False where it need not suspend.
  bool park(PromiseBase& leaf, WatchCore::Lock lock);
  // In the resumed task: CancelledError.
  void finish();

 private:
  friend class WatchCore;
  void wake() noexcept;
  void delivered() noexcept override;
  void undeliverable() noexcept override {}

  const std::shared_ptr<WatchCore> core_;
  EventLoop& loop_;
  Mailbox& mailbox_;
  // Guarded by the watch's mutex.
  bool waits_ = false;
  bool mailed_ = false;
  WatchWait* prev_ = nullptr;
  WatchWait* next_ = nullptr;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_WATCH_CORE_H_
