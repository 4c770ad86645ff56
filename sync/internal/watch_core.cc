#include "asyncio/sync/internal/watch_core.h"

#include <cstddef>
#include <utility>

#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/channel_core.h"
#include "asyncio/sync/internal/mailbox.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

constexpr WaiterKind kChangedKind{1, "Watch.changed", nullptr, nullptr};

}  // namespace

bool WatchCore::is_closed() const {
  const Lock held = lock();
  return closed_;
}

WatchCore::Version WatchCore::version() const {
  const Lock held = lock();
  return version_;
}

size_t WatchCore::receiver_count() const {
  const Lock held = lock();
  return receivers_;
}

void WatchCore::add_sender() {
  const Lock held = lock();
  ++senders_;
}

void WatchCore::drop_sender() noexcept {
  const Lock held = lock();
  if (--senders_ > 0) return;
  closed_ = true;
  wake_all();
}

void WatchCore::add_receiver() {
  const Lock held = lock();
  ++receivers_;
}

void WatchCore::drop_receiver() noexcept {
  const Lock held = lock();
  --receivers_;
}

WatchCore::Version WatchCore::newer(Version seen) const {
  if (version_ == seen) throw ChannelClosed("watch is closed");
  return version_;
}

void WatchCore::enter(WatchWait& wait) noexcept {
  wait.waits_ = true;
  wait.next_ = first_;
  if (first_ != nullptr) first_->prev_ = &wait;
  first_ = &wait;
}

void WatchCore::unlink(WatchWait& wait) noexcept {
  wait.waits_ = false;
  (wait.prev_ == nullptr ? first_ : wait.prev_->next_) = wait.next_;
  if (wait.next_ != nullptr) wait.next_->prev_ = wait.prev_;
  wait.prev_ = wait.next_ = nullptr;
}

void WatchCore::wake_all() noexcept {
  while (first_ != nullptr) {
    WatchWait& wait = *first_;
    unlink(wait);
    wait.wake();
  }
}

WatchWait::WatchWait(WatchCore& core, WatchCore::Version seen)
    : Waiter(kChangedKind),
      core_(core.shared_from_this()),
      loop_(*step_task()->loop()),
      mailbox_(Mailbox::of(loop_)) {
  if (!core.over(seen)) core.enter(*this);
}

WatchWait::~WatchWait() {
  const WatchCore::Lock lock = core_->lock();
  if (waits_) core_->unlink(*this);
  if (mailed_) mailbox_.take_back(*this);
}

bool WatchWait::park(PromiseBase& leaf, WatchCore::Lock lock) {
  if (!waits_) return false;
  // A thread may wake it from here on; what it does about that reaches this
  // loop in a later turn.
  lock.unlock();
  step_task()->park(leaf, *this);
  return true;
}

void WatchWait::finish() { step_task()->check_cancelled(); }

void WatchWait::wake() noexcept {
  if (running_loop == &loop_) {
    task()->wake();
  } else {
    mailed_ = mailbox_.deliver(*this);
  }
}

void WatchWait::delivered() noexcept { task()->wake(); }

}  // namespace asyncio::internal
