#include "asyncio/sync/internal/broadcast_core.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/channel_core.h"
#include "asyncio/sync/internal/mailbox.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

Lagged::Lagged(uint64_t missed)
    : RuntimeError("receiver missed " + std::to_string(missed) + " items"),
      missed_(missed) {}

}  // namespace asyncio

namespace asyncio::internal {
namespace {

constexpr WaiterKind kReceiveKind{1, "Broadcast.recv", nullptr, nullptr};

// Longer ones would overflow the system's clock.
constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

}  // namespace

BroadcastCore::BroadcastCore(size_t capacity) : capacity_(capacity) {
  if (capacity == 0) throw ValueError("Broadcast capacity must be at least 1");
}

size_t BroadcastCore::receiver_count() const {
  const Lock held = lock();
  return receivers_;
}

bool BroadcastCore::is_closed() const {
  const Lock held = lock();
  return closed_;
}

void BroadcastCore::close() {
  const Lock held = lock();
  closed_ = true;
  wake_all();
}

void BroadcastCore::add_sender() {
  const Lock held = lock();
  ++senders_;
}

void BroadcastCore::drop_sender() noexcept {
  const Lock held = lock();
  if (--senders_ > 0) return;
  closed_ = true;
  wake_all();
}

uint64_t BroadcastCore::add_receiver() {
  ++receivers_;
  return sent_;
}

bool BroadcastCore::look(uint64_t& number) const {
  const uint64_t oldest = sent_ > capacity_ ? sent_ - capacity_ : 0;
  if (number < oldest) throw Lagged(oldest - std::exchange(number, oldest));
  return number < sent_;
}

void BroadcastCore::check_open() const {
  if (closed_) throw ChannelClosed("broadcast is closed");
}

void BroadcastCore::enter(BroadcastWaiter& waiter) {
  waiter.in_line_ = true;
  waiter.prev_ = last_;
  waiter.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &waiter;
  last_ = &waiter;
}

void BroadcastCore::leave(BroadcastWaiter& waiter) noexcept {
  if (!std::exchange(waiter.in_line_, false)) return;
  (waiter.prev_ == nullptr ? first_ : waiter.prev_->next_) = waiter.next_;
  (waiter.next_ == nullptr ? last_ : waiter.next_->prev_) = waiter.prev_;
}

void BroadcastCore::wake_all() noexcept {
  while (first_ != nullptr) {
    BroadcastWaiter& waiter = *first_;
    leave(waiter);
    waiter.wake();
  }
}

BroadcastTaskWait::BroadcastTaskWait(BroadcastCore& core)
    : Waiter(kReceiveKind),
      core_(core),
      loop_(*step_task()->loop()),
      mailbox_(Mailbox::of(loop_)) {
  core.enter(*this);
}

BroadcastTaskWait::~BroadcastTaskWait() {
  const BroadcastCore::Lock lock = core_.lock();
  core_.leave(*this);
  if (mailed_) mailbox_.take_back(*this);
}

void BroadcastTaskWait::park(PromiseBase& leaf, BroadcastCore::Lock lock) {
  // A thread may wake it from here on; what it does about that reaches this
  // loop in a later turn.
  lock.unlock();
  step_task()->park(leaf, *this);
}

void BroadcastTaskWait::wake() noexcept {
  if (running_loop == &loop_) {
    task()->wake();
  } else {
    mailed_ = mailbox_.deliver(*this);
  }
}

void BroadcastTaskWait::delivered() noexcept { task()->wake(); }

void BroadcastThreadWait::wait(BroadcastCore& core, BroadcastCore::Lock& lock,
                               std::optional<Duration> timeout) {
  if (running_loop != nullptr) {
    throw RuntimeError("a broadcast cannot block the thread of a running loop");
  }
  core.enter(*this);
  const auto woken = [this] { return !in_line(); };
  bool in_time = true;
  if (!timeout || *timeout > kLongestWait) {
    woken_.wait(lock, woken);
  } else {
    in_time = woken_.wait_for(lock, timeout->to_chrono(), woken);
  }
  core.leave(*this);
  if (!in_time) throw TimeoutError();
}

void check_broadcast_cancelled() { step_task()->check_cancelled(); }

void throw_broadcast_busy() {
  throw RuntimeError("recv() while another recv() of this receiver is waiting");
}

}  // namespace asyncio::internal
