// Broadcast: gives each item to every receiver, in any loops and threads.
//
//   auto [sender, receiver] = Broadcast<Price>(64);   // the last 64 are kept
//
//   auto other = sender.subscribe();                  // sees what is sent next
//   sender.send(price);                               // never waits
//   while (auto price = co_await receiver.recv()) {   // a copy
//     show(*price);
//   }                                                 // closed, all was seen
//
// A receiver that falls more than `capacity` items behind gets Lagged, which
// says how many it missed, and goes on with the oldest one kept. When the last
// sender is gone, or close() is called, receivers are given what is kept, and
// then nothing.
//
// Order: each receiver sees items in the order in which they were sent.
// Cancellation: of a recv(), woken before or not, loses nothing.
// Errors: ValueError for a capacity of 0; ChannelClosed by send(). Where the
// copy of an item throws, the next recv() gives that item again.
// Lifetime: a handle outlives the start of what it was asked for; whoever waits
// keeps its receiver. Items are destroyed when newer ones take their place, and
// when the last receiver is gone.
// Threads: any. One receiver is for one task or thread at a time: a second
// recv() of it meanwhile is a RuntimeError. Items are copied, and destroyed,
// outside the lock, by several at once.
// Cost: send() allocates the item and wakes everybody who waits; recv() takes
// the lock twice and copies. Waiting allocates nothing.
#ifndef ASYNCIO_SYNC_BROADCAST_H_
#define ASYNCIO_SYNC_BROADCAST_H_

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "asyncio/base/time.h"
#include "asyncio/sync/internal/broadcast_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

template <class T>
class BroadcastState final : public BroadcastCore {
 public:
  using Item = std::shared_ptr<const T>;
  using Ring = std::vector<Item>;

  using BroadcastCore::BroadcastCore;

  size_t send(T&& value) {
    // The one it replaces goes after the lock.
    Item item = std::make_shared<const T>(std::move(value));
    const Lock held = lock();
    check_open();
    if (receivers() == 0) return 0;
    if (ring_.empty()) ring_.resize(capacity());
    ring_[sent_count() % capacity()].swap(item);
    sent();
    return receivers();
  }

  // With the lock. Null at the end. Lagged.
  Item peek(uint64_t& number) const {
    return look(number) ? ring_[number % capacity()] : nullptr;
  }

  void unsubscribe() noexcept {
    Ring dropped;
    const Lock held = lock();
    if (drop_receiver()) dropped.swap(ring_);
  }

 private:
  Ring ring_;  // empty, or of `capacity`
};

template <class T>
class BroadcastSubscription {
 public:
  explicit BroadcastSubscription(std::shared_ptr<BroadcastState<T>> state)
      : state_(std::move(state)) {
    const auto lock = state_->lock();
    next_ = state_->add_receiver();
  }
  BroadcastSubscription(const BroadcastSubscription&) = delete;
  BroadcastSubscription& operator=(const BroadcastSubscription&) = delete;
  ~BroadcastSubscription() { state_->unsubscribe(); }

  // One receives at a time.
  class Use {
   public:
    explicit Use(BroadcastSubscription& subscription)
        : subscription_(subscription) {
      if (subscription.busy_.exchange(true, std::memory_order_acquire)) {
        throw_broadcast_busy();
      }
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { subscription_.busy_.store(false, std::memory_order_release); }

   private:
    BroadcastSubscription& subscription_;
  };

  BroadcastState<T>& state() const { return *state_; }

  // --- In use.

  // With the lock.
  bool ready() const { return state_->ready(next_); }
  // Without. Empty where there is none.
  std::optional<T> take() {
    const auto item = [this] {
      const auto lock = state_->lock();
      return state_->peek(next_);
    }();
    std::optional<T> copy;
    if (item == nullptr) return copy;
    copy.emplace(*item);
    ++next_;
    return copy;
  }

 private:
  const std::shared_ptr<BroadcastState<T>> state_;
  std::atomic<bool> busy_ = false;  // guards the next
  uint64_t next_ = 0;
};

template <class T>
class BroadcastReceiveAwaiter final : public LibraryAwaiter {
 public:
  using Subscription = BroadcastSubscription<T>;

  explicit BroadcastReceiveAwaiter(std::shared_ptr<Subscription> subscription)
      : subscription_(std::move(subscription)) {}
  BroadcastReceiveAwaiter(const BroadcastReceiveAwaiter&) = delete;
  BroadcastReceiveAwaiter& operator=(const BroadcastReceiveAwaiter&) = delete;

  bool await_ready() {
    use_.emplace(*subscription_);
    const auto lock = subscription_->state().lock();
    return subscription_->ready();
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    auto lock = subscription_->state().lock();
    if (subscription_->ready()) return false;
    wait_.emplace(subscription_->state());
    wait_->park(caller.promise(), std::move(lock));
    return true;
  }
  std::optional<T> await_resume() {
    if (wait_) check_broadcast_cancelled();
    return subscription_->take();
  }

 private:
  std::shared_ptr<Subscription> subscription_;
  std::optional<typename Subscription::Use> use_;
  std::optional<BroadcastTaskWait> wait_;
};

template <class T>
class [[nodiscard]] BroadcastReceiveRequest {
 public:
  explicit BroadcastReceiveRequest(
      const std::shared_ptr<BroadcastSubscription<T>>& subscription)
      : subscription_(subscription) {}
  BroadcastReceiveAwaiter<T> operator co_await() const {
    return BroadcastReceiveAwaiter<T>(subscription_);
  }

 private:
  std::shared_ptr<BroadcastSubscription<T>> subscription_;
};

}  // namespace internal

// One subscription. Null when default-constructed, and when moved from.
template <class T>
class BroadcastReceiver {
  using Subscription = internal::BroadcastSubscription<T>;

 public:
  BroadcastReceiver() = default;
  explicit BroadcastReceiver(std::shared_ptr<internal::BroadcastState<T>> state)
      : subscription_(std::make_shared<Subscription>(std::move(state))) {}
  BroadcastReceiver(BroadcastReceiver&&) noexcept = default;
  BroadcastReceiver& operator=(BroadcastReceiver&&) noexcept = default;

  explicit operator bool() const { return subscription_ != nullptr; }

  // -> optional<T>: empty where it is closed and nothing is left. Lagged.
  internal::BroadcastReceiveRequest<T> recv() const {
    return internal::BroadcastReceiveRequest<T>(subscription_);
  }
  // Empty where there is none now, or ever. Lagged.
  std::optional<T> try_recv() const {
    const typename Subscription::Use use(*subscription_);
    return subscription_->take();
  }
  // Blocks the thread, which runs no loop, until there is an item, or none will
  // come. Lagged, TimeoutError.
  std::optional<T> recv_blocking(std::optional<Duration> timeout = {}) const {
    const typename Subscription::Use use(*subscription_);
    {
      auto lock = subscription_->state().lock();
      if (!subscription_->ready()) {
        internal::BroadcastThreadWait wait;
        wait.wait(subscription_->state(), lock, timeout);
      }
    }
    return subscription_->take();
  }
  bool is_closed() const { return subscription_->state().is_closed(); }

 private:
  std::shared_ptr<Subscription> subscription_;
};

// Null when default-constructed.
template <class T>
class BroadcastSender {
 public:
  BroadcastSender() = default;
  explicit BroadcastSender(std::shared_ptr<internal::BroadcastState<T>> state)
      : state_(std::move(state)) {
    state_->add_sender();
  }
  BroadcastSender(const BroadcastSender& other) : state_(other.state_) {
    if (state_) state_->add_sender();
  }
  BroadcastSender(BroadcastSender&&) noexcept = default;
  BroadcastSender& operator=(BroadcastSender other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~BroadcastSender() {
    if (state_) state_->drop_sender();
  }

  explicit operator bool() const { return state_ != nullptr; }

  // Gives how many receivers there were for it. ChannelClosed.
  size_t send(T item) const { return state_->send(std::move(item)); }
  // One that sees what is sent from here on.
  BroadcastReceiver<T> subscribe() const {
    return BroadcastReceiver<T>(state_);
  }
  size_t receiver_count() const { return state_->receiver_count(); }
  // Nothing can be sent from here on. Calling it again does no harm.
  void close() const { state_->close(); }
  bool is_closed() const { return state_->is_closed(); }
  size_t capacity() const { return state_->capacity(); }

 private:
  std::shared_ptr<internal::BroadcastState<T>> state_;
};

// A sender and a first receiver of a new one.
template <class T>
class Broadcast {
 public:
  explicit Broadcast(size_t capacity)
      : Broadcast(std::make_shared<internal::BroadcastState<T>>(capacity)) {}

  BroadcastSender<T> sender;
  BroadcastReceiver<T> receiver;

 private:
  explicit Broadcast(std::shared_ptr<internal::BroadcastState<T>> state)
      : sender(state), receiver(std::move(state)) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_BROADCAST_H_
