// ChannelCore: everything of a channel that does not depend on its items: how
// many there are, who is in line at either end, how many handles are left.
//
// Who is woken was promised an item, or room for one: nobody takes that away
// before its turn, and where its turn never comes, because it was cancelled or
// its loop is gone, the promise goes on to the next in line. The item itself
// stays in the channel until then, so that none can be lost.
//
// Threads: all of it. The lock of a channel comes before that of a mailbox.
#ifndef ASYNCIO_SYNC_INTERNAL_CHANNEL_CORE_H_
#define ASYNCIO_SYNC_INTERNAL_CHANNEL_CORE_H_

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

// Nothing can be sent to the channel any more.
class ChannelClosed : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

}  // namespace asyncio

namespace asyncio::internal {

class ChannelCore;

enum class ChannelSide : uint8_t { kSend, kReceive };

// A place in line. Guarded by the channel's mutex.
class ChannelWaiter {
 public:
  ChannelWaiter(const ChannelWaiter&) = delete;
  ChannelWaiter& operator=(const ChannelWaiter&) = delete;

 protected:
  explicit ChannelWaiter(ChannelSide side) : side_(side) {}
  ~ChannelWaiter() = default;
  ChannelSide side() const { return side_; }
  bool in_line() const { return in_line_; }

 private:
  friend class ChannelCore;
  // False where it can do nothing with it.
  virtual bool wake() noexcept = 0;

  const ChannelSide side_;
  bool in_line_ = false;
  bool promised_ = false;
  ChannelWaiter* prev_ = nullptr;
  ChannelWaiter* next_ = nullptr;
};

class ChannelCore : public std::enable_shared_from_this<ChannelCore> {
 public:
  using Lock = std::unique_lock<std::mutex>;
  enum class Turn : uint8_t {
    kGo,
    kWait,
    kClosed,  // and, for a receiver, empty
  };

  // ValueError where it is 0.
  explicit ChannelCore(size_t capacity);
  ChannelCore(const ChannelCore&) = delete;
  ChannelCore& operator=(const ChannelCore&) = delete;

  size_t capacity() const { return capacity_; }
  size_t size() const;
  bool is_closed() const;
  void close();
  // The last handle of either side closes it.
  void add_handle(ChannelSide side);
  void drop_handle(ChannelSide side) noexcept;

  Lock lock() const { return Lock(mutex_); }

  // --- With the lock.

  Turn look(ChannelSide side) const {
    if (side == ChannelSide::kSend && closed_) return Turn::kClosed;
    if (available(side) > 0) return Turn::kGo;
    return ended(side) ? Turn::kClosed : Turn::kWait;
  }
  // Required by kGo: an item came in, or left.
  void sent() {
    ++size_;
    serve(ChannelSide::kReceive);
  }
  void received() {
    --size_;
    serve(ChannelSide::kSend);
    if (closed_) serve(ChannelSide::kReceive);
  }
  // Keeps what kGo spoke of until unpromise(), after which look() says it
  // again.
  void promise(ChannelSide side) { ++promised(side); }
  void unpromise(ChannelSide side) { --promised(side); }
  // Wakes whoever can go. After an item was not taken, or room not used.
  void settle() {
    serve(ChannelSide::kReceive);
    serve(ChannelSide::kSend);
  }
  // Nothing can be sent from here on.
  void seal() {
    closed_ = true;
    settle();
  }
  // Joins the line, unless its turn has come already.
  void enter(ChannelWaiter& waiter);
  // Leaves it. What was promised to it look() speaks of again.
  void leave(ChannelWaiter& waiter) noexcept;
  // Who waits counts as one more handle of its side. The second gives whether
  // drop_items() is to be called once the lock is given up.
  void hold(ChannelSide side) { ++handles(side); }
  [[nodiscard]] bool let_go(ChannelSide side) noexcept;

  // Nobody receives any more.
  virtual void drop_items() noexcept = 0;

  [[noreturn]] static void throw_closed();

 protected:
  ~ChannelCore() = default;

 private:
  struct Line {
    ChannelWaiter* first = nullptr;
    ChannelWaiter* last = nullptr;
  };

  static size_t index(ChannelSide side) { return static_cast<size_t>(side); }
  size_t& promised(ChannelSide side) { return promised_[index(side)]; }
  size_t& handles(ChannelSide side) { return handles_[index(side)]; }
  size_t available(ChannelSide side) const {
    return (side == ChannelSide::kSend ? capacity_ - size_ : size_) -
           promised_[index(side)];
  }
  bool ended(ChannelSide side) const {
    return closed_ && (side == ChannelSide::kSend || size_ == 0);
  }
  void serve(ChannelSide side) {
    if (lines_[index(side)].first != nullptr) serve_line(side);
  }
  void serve_line(ChannelSide side);
  void unlink(ChannelWaiter& waiter) noexcept;

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards the rest
  size_t size_ = 0;
  bool closed_ = false;
  // Promised, and not taken yet; at most what there is.
  size_t promised_[2] = {0, 0};
  size_t handles_[2] = {0, 0};
  Line lines_[2];
};

// A task's place in line, in the awaiting frame.
class ChannelTaskWait final : public Waiter,
                              public ChannelWaiter,
                              private Letter {
 public:
  // With the lock: the task joins the line, and keeps the channel until this is
  // gone.
  ChannelTaskWait(ChannelCore& core, ChannelSide side);
  // In what is no Channel, but has its core.
  ChannelTaskWait(ChannelCore& core, ChannelSide side, const WaiterKind& kind);
  ~ChannelTaskWait();

  // After that, without the lock. False where it need not suspend.
  bool park(PromiseBase& leaf, ChannelCore::Lock lock);
  // In the resumed task: leaves the line and gives the lock. Throws
  // CancelledError; what the task was promised goes on then.
  ChannelCore::Lock finish();

 private:
  bool wake() noexcept override;
  void delivered() noexcept override;
  void undeliverable() noexcept override;
  void leave() noexcept;

  std::shared_ptr<ChannelCore> core_;
  EventLoop& loop_;
  Mailbox& mailbox_;
  bool mailed_ = false;  // guarded by the channel's mutex
};

// A thread's, on its stack.
class ChannelThreadWait final : public ChannelWaiter {
 public:
  explicit ChannelThreadWait(ChannelSide side) : ChannelWaiter(side) {}

  // Blocks until its turn has come, and leaves the line. TimeoutError, and
  // RuntimeError in a thread that runs a loop.
  void wait(ChannelCore& core, ChannelCore::Lock& lock,
            std::optional<Duration> timeout);

 private:
  bool wake() noexcept override {
    woken_.notify_one();
    return true;
  }

  std::condition_variable woken_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_CHANNEL_CORE_H_
