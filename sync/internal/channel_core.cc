#include "asyncio/sync/internal/channel_core.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/mailbox.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

constexpr WaiterKind kSendKind{1, "Channel.send", nullptr, nullptr};
constexpr WaiterKind kReceiveKind{1, "Channel.recv", nullptr, nullptr};

// Longer ones would overflow the system's clock.
constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

}  // namespace

ChannelCore::ChannelCore(size_t capacity) : capacity_(capacity) {
  if (capacity == 0) throw ValueError("Channel capacity must be at least 1");
}

size_t ChannelCore::size() const {
  const Lock held = lock();
  return size_;
}

bool ChannelCore::is_closed() const {
  const Lock held = lock();
  return closed_;
}

void ChannelCore::close() {
  const Lock held = lock();
  seal();
}

void ChannelCore::add_handle(ChannelSide side) {
  const Lock held = lock();
  hold(side);
}

void ChannelCore::drop_handle(ChannelSide side) noexcept {
  Lock held = lock();
  const bool abandoned = let_go(side);
  held.unlock();
  if (abandoned) drop_items();
}

bool ChannelCore::let_go(ChannelSide side) noexcept {
  if (--handles(side) > 0) return false;
  closed_ = true;
  const bool abandoned = side == ChannelSide::kReceive;
  if (abandoned) size_ = 0;
  settle();
  return abandoned;
}

void ChannelCore::enter(ChannelWaiter& waiter) {
  if (look(waiter.side_) == Turn::kWait) {
    Line& line = lines_[index(waiter.side_)];
    waiter.in_line_ = true;
    waiter.prev_ = line.last;
    waiter.next_ = nullptr;
    (line.last == nullptr ? line.first : line.last->next_) = &waiter;
    line.last = &waiter;
  } else if (available(waiter.side_) > 0) {
    waiter.promised_ = true;
    promise(waiter.side_);
  }
}

void ChannelCore::leave(ChannelWaiter& waiter) noexcept {
  if (waiter.in_line_) unlink(waiter);
  if (std::exchange(waiter.promised_, false)) unpromise(waiter.side_);
}

void ChannelCore::serve_line(ChannelSide side) {
  Line& line = lines_[index(side)];
  while (line.first != nullptr) {
    const bool there_is = available(side) > 0;
    if (!there_is && !ended(side)) return;
    ChannelWaiter& waiter = *line.first;
    unlink(waiter);
    if (waiter.wake() && there_is) {
      waiter.promised_ = true;
      promise(side);
    }
  }
}

void ChannelCore::unlink(ChannelWaiter& waiter) noexcept {
  Line& line = lines_[index(waiter.side_)];
  waiter.in_line_ = false;
  (waiter.prev_ == nullptr ? line.first : waiter.prev_->next_) = waiter.next_;
  (waiter.next_ == nullptr ? line.last : waiter.next_->prev_) = waiter.prev_;
}

void ChannelCore::throw_closed() { throw ChannelClosed("channel is closed"); }

ChannelTaskWait::ChannelTaskWait(ChannelCore& core, ChannelSide side)
    : ChannelTaskWait(
          core, side,
          side == ChannelSide::kSend ? kSendKind : kReceiveKind) {}

ChannelTaskWait::ChannelTaskWait(ChannelCore& core, ChannelSide side,
                                 const WaiterKind& kind)
    : Waiter(kind),
      ChannelWaiter(side),
      core_(core.shared_from_this()),
      loop_(*step_task()->loop()),
      mailbox_(Mailbox::of(loop_)) {
  core.hold(side);
  core.enter(*this);
}

ChannelTaskWait::~ChannelTaskWait() {
  ChannelCore::Lock lock = core_->lock();
  leave();
  core_->settle();
  const bool abandoned = core_->let_go(side());
  lock.unlock();
  if (abandoned) core_->drop_items();
}

void ChannelTaskWait::leave() noexcept {
  core_->leave(*this);
  if (mailed_) mailbox_.take_back(*this);
}

bool ChannelTaskWait::park(PromiseBase& leaf, ChannelCore::Lock lock) {
  if (!in_line()) return false;
  // A thread may choose it from here on; what it does about that reaches this
  // loop in a later turn.
  lock.unlock();
  step_task()->park(leaf, *this);
  return true;
}

ChannelCore::Lock ChannelTaskWait::finish() {
  // Cancelled, it leaves when it is destroyed, which is next.
  step_task()->check_cancelled();
  ChannelCore::Lock lock = core_->lock();
  leave();
  return lock;
}

bool ChannelTaskWait::wake() noexcept {
  if (running_loop == &loop_) return task()->wake();
  mailed_ = mailbox_.deliver(*this);
  return mailed_;
}

void ChannelTaskWait::delivered() noexcept { task()->wake(); }

void ChannelTaskWait::undeliverable() noexcept {
  const ChannelCore::Lock lock = core_->lock();
  core_->leave(*this);
  core_->settle();
}

void ChannelThreadWait::wait(ChannelCore& core, ChannelCore::Lock& lock,
                             std::optional<Duration> timeout) {
  if (running_loop != nullptr) {
    throw RuntimeError("a channel cannot block the thread of a running loop");
  }
  core.enter(*this);
  const auto chosen = [this] { return !in_line(); };
  bool in_time = true;
  if (!timeout || *timeout > kLongestWait) {
    woken_.wait(lock, chosen);
  } else {
    in_time = woken_.wait_for(lock, timeout->to_chrono(), chosen);
  }
  core.leave(*this);
  if (!in_time) throw TimeoutError();
}

}  // namespace asyncio::internal
