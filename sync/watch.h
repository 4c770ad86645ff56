// Watch: a value that many look at, and are told when it changes, in any loops
// and threads.
//
//   auto [sender, receiver] = Watch<Config>(load());
//
//   sender.send(load());                            // a newer one
//   sender.send_modify([](Config& config) { ++config.workers; });
//
//   // Each task with its own copy of the receiver:
//   while (true) {
//     apply(receiver.get_and_update());
//     co_await receiver.changed();                  // newer than what it saw
//   }
//
// There is one value, the latest; whoever is slow misses those between. A
// receiver knows which it saw last: the initial one, when it comes from Watch;
// what the other saw, when it is a copy; the one of that moment, when it comes
// from subscribe(). get() and borrow() look without that counting as seen, so
// that a change after it is not missed. When the last sender is gone, changed()
// gives a value that was not seen yet, and then throws ChannelClosed; the value
// can be looked at for ever.
//
// Order: the versions that a receiver sees only get newer. Those who are woken
// by one change run in any order.
// Cancellation: of a changed(), woken before or not, sees nothing: the next one
// returns at once where there is a newer value.
// Errors: where the move of a value, its copy, or the function of send_modify()
// throws, the value is what it was, and nobody is woken.
// Lifetime: a receiver stays where it is until its changed() is over. What
// borrow() gives stays as it is, and lives as long as anybody holds it.
// Threads: any; one receiver by one at a time, which is what copies are for.
// The function of send_modify() runs while the watch is locked: it must not use
// the same watch.
// Cost: one allocation a new value, which is made, and the old one destroyed,
// without the lock; send_modify() copies the value. borrow() is a mutex and a
// reference count; waiting allocates nothing. A change is O(waiting tasks), and
// one post for each of their loops.
#ifndef ASYNCIO_SYNC_WATCH_H_
#define ASYNCIO_SYNC_WATCH_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "asyncio/sync/internal/watch_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

template <class T>
class WatchState final : public WatchCore {
 public:
  explicit WatchState(std::shared_ptr<const T> value)
      : value_(std::move(value)) {}

  std::shared_ptr<const T> value() const {
    const Lock held = lock();
    return value_;
  }
  std::shared_ptr<const T> value(Version& seen) const {
    const Lock held = lock();
    seen = newest();
    return value_;
  }
  // The old value goes with the parameter, after the lock.
  void replace(std::shared_ptr<const T> value) {
    const Lock held = lock();
    value_.swap(value);
    changed();
  }
  template <class F>
  void modify(F& change) {
    std::shared_ptr<const T> old;
    const Lock held = lock();
    auto value = std::make_shared<T>(*value_);
    change(*value);
    old = std::exchange(value_, std::move(value));
    changed();
  }

 private:
  std::shared_ptr<const T> value_;  // never null
};

class WatchAwaiter final : public LibraryAwaiter {
 public:
  WatchAwaiter(WatchCore& core, WatchCore::Version& seen)
      : core_(core), seen_(seen), since_(seen) {}
  WatchAwaiter(const WatchAwaiter&) = delete;
  WatchAwaiter& operator=(const WatchAwaiter&) = delete;

  bool await_ready() const {
    const WatchCore::Lock lock = core_.lock();
    return core_.over(since_);
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    WatchCore::Lock lock = core_.lock();
    wait_.emplace(core_, since_);
    return wait_->park(caller.promise(), std::move(lock));
  }
  void await_resume() {
    if (wait_) wait_->finish();
    const WatchCore::Lock lock = core_.lock();
    seen_ = core_.newer(since_);
  }

 private:
  WatchCore& core_;
  WatchCore::Version& seen_;
  const WatchCore::Version since_;
  std::optional<WatchWait> wait_;
};

class [[nodiscard]] WatchRequest {
 public:
  WatchRequest(WatchCore& core, WatchCore::Version& seen)
      : core_(&core), seen_(&seen) {}
  WatchAwaiter operator co_await() const {
    return WatchAwaiter(*core_, *seen_);
  }

 private:
  WatchCore* core_;
  WatchCore::Version* seen_;
};

}  // namespace internal

template <class T>
class WatchSender;

// Null when default-constructed, or moved from.
template <class T>
class WatchReceiver {
 public:
  WatchReceiver() = default;
  WatchReceiver(const WatchReceiver& other)
      : WatchReceiver(other.state_, other.seen_) {}
  WatchReceiver(WatchReceiver&& other) noexcept = default;
  WatchReceiver& operator=(WatchReceiver other) noexcept {
    state_.swap(other.state_);
    seen_ = other.seen_;
    return *this;
  }
  ~WatchReceiver() {
    if (state_) state_->drop_receiver();
  }

  explicit operator bool() const { return state_ != nullptr; }

  // -> void, when there is a newer value than it saw last, which counts as seen
  // then. ChannelClosed where there is none and none will come.
  internal::WatchRequest changed() {
    return internal::WatchRequest(*state_, seen_);
  }
  bool has_changed() const { return state_->version() != seen_; }

  // The latest value, never null.
  std::shared_ptr<const T> borrow() const { return state_->value(); }
  // A copy of it.
  T get() const { return *borrow(); }
  // The same, and it counts as seen.
  std::shared_ptr<const T> borrow_and_update() { return state_->value(seen_); }
  T get_and_update() { return *borrow_and_update(); }

  // No newer value will come.
  bool is_closed() const { return state_->is_closed(); }

 private:
  using State = std::shared_ptr<internal::WatchState<T>>;

  friend class WatchSender<T>;
  template <class U>
  friend class Watch;
  WatchReceiver(State state, internal::WatchCore::Version seen)
      : state_(std::move(state)), seen_(seen) {
    if (state_) state_->add_receiver();
  }

  State state_;
  internal::WatchCore::Version seen_ = 0;
};

// Null when default-constructed, or moved from.
template <class T>
class WatchSender {
 public:
  WatchSender() = default;
  WatchSender(const WatchSender& other) : WatchSender(other.state_) {}
  WatchSender(WatchSender&& other) noexcept = default;
  WatchSender& operator=(WatchSender other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~WatchSender() {
    if (state_) state_->drop_sender();
  }

  explicit operator bool() const { return state_ != nullptr; }

  // Puts a newer value in its place, also where nobody receives it.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void send(U&& value) const {
    state_->replace(std::make_shared<const T>(std::forward<U>(value)));
  }
  // The newer value is what `change` makes of a copy of the latest; no other
  // change comes between.
  template <class F>
  requires std::copy_constructible<T> && std::invocable<F&, T&>
  void send_modify(F&& change) const { state_->modify(change); }

  // The latest value, never null.
  std::shared_ptr<const T> borrow() const { return state_->value(); }
  // A copy of it.
  T get() const { return *borrow(); }

  // A receiver that saw the latest value.
  WatchReceiver<T> subscribe() const {
    return WatchReceiver<T>(state_, state_->version());
  }
  // Another thread may change that at once.
  size_t receiver_count() const { return state_->receiver_count(); }

 private:
  using State = std::shared_ptr<internal::WatchState<T>>;

  template <class U>
  friend class Watch;
  explicit WatchSender(State state) : state_(std::move(state)) {
    if (state_) state_->add_sender();
  }

  State state_;
};

// Both ends of a new one.
template <class T>
class Watch {
 public:
  explicit Watch(T initial)
      : Watch(std::make_shared<internal::WatchState<T>>(
            std::make_shared<const T>(std::move(initial)))) {}

  WatchSender<T> sender;
  WatchReceiver<T> receiver;

 private:
  explicit Watch(std::shared_ptr<internal::WatchState<T>> state)
      : sender(state), receiver(std::move(state), 0) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_WATCH_H_
