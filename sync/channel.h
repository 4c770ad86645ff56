// Channel: passes items between the tasks of any loops, and threads.
//
//   auto [sender, receiver] = Channel<Job>(64);   // at most 64 are under way
//
//   co_await sender.send(job);                    // waits while it is full
//   while (auto job = co_await receiver.recv()) { // waits while it is empty
//     work(*job);
//   }                                             // closed, and all received
//
//   std::thread feeder([sender = sender] { sender.send_blocking(job); });
//
// Both ends are handles, copied for each further producer or consumer. An item
// goes to one receiver. When the last sender is gone, or anybody calls close(),
// what is in the channel is received, and then recv() gives nothing. When the
// last receiver is gone, send() throws ChannelClosed, and what is in the
// channel is destroyed.
//
// Order: items leave in the order in which they came; tasks and threads in
// line are served in the order in which they came, and what one was woken for
// nobody takes before its turn.
// Cancellation: of a send() or recv(), woken before or not, loses no item; its
// turn goes to the next. The item of a send() that did not happen is destroyed
// with the await.
// Errors: ValueError for a capacity of 0. An item whose move throws is either
// in the channel or where it came from, and the channel works on. A send() that
// waits when the channel is closed throws ChannelClosed.
// Lifetime: a handle outlives the start of what it was asked for; whoever waits
// keeps the channel, and counts as a handle of that end.
// Threads: any, one handle from several too. An item is moved while the channel
// is locked: its move must not use the same channel. Where a loop is closed
// with tasks in line, the others are served; one that does not run keeps what
// its tasks were woken for.
// Cost: O(1), one mutex an operation that need not wait; waiting allocates
// nothing. Items are in blocks of some 512 bytes, of which up to 8 KiB are kept for
// the next time: filled and emptied by more than that, it allocates one a block. A
// wake-up from another thread is one post for all tasks of a loop that were woken
// before it looked.
#ifndef ASYNCIO_SYNC_CHANNEL_H_
#define ASYNCIO_SYNC_CHANNEL_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/time.h"
#include "asyncio/sync/internal/channel_core.h"
#include "asyncio/sync/internal/item_store.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

// The items are in a Store.
template <class T, class Store = FifoStore<T>>
class ChannelState final : public ChannelCore {
 public:
  using ChannelCore::ChannelCore;

  // With the lock, after kGo. Where they throw nothing has changed.
  template <class U>
  void put(U&& item) {
    store_.emplace(std::forward<U>(item));
    ++left_;
    sent();
  }
  T take() {
    struct Taken {
      ~Taken() {
        if (!success) return;
        --state.left_;
        state.received();
      }
      ChannelState& state;
      Success<Store::kNeverThrows> success = {};
    } taken{*this};
    return store_.take();
  }

  // Straight into its place: a second move could throw, too, and then the item
  // would be lost.
  void take_into(std::optional<T>& target) {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      target.emplace(take());
    } else {
      struct Take {
        operator T() const { return state.take(); }
        ChannelState& state;
      };
      target.emplace(Take{*this});
    }
  }

  // After a wait. The turn of whoever throws goes to the next.
  template <class U>
  void put_after_wait(U&& item) {
    const Settle settle{*this};
    if (look(ChannelSide::kSend) == Turn::kClosed) throw_closed();
    put(std::forward<U>(item));
  }
  std::optional<T> take_after_wait() {
    std::optional<T> item;
    const Settle settle{*this};
    if (look(ChannelSide::kReceive) != Turn::kClosed) take_into(item);
    return item;
  }
  // The same, where the end is an error. ChannelClosed.
  T take_after_wait_or_throw() {
    const Settle settle{*this};
    if (look(ChannelSide::kReceive) == Turn::kClosed) throw_closed();
    return take();
  }

 private:
  struct Settle {
    ~Settle() { state.settle(); }
    ChannelState& state;
  };

  // Receivers are gone and senders are refused: nobody else looks at them.
  void drop_items() noexcept override {
    for (; left_ > 0; --left_) store_.drop();
  }

  Store store_;
  size_t left_ = 0;  // in store_
};

template <class T>
class ChannelSendAwaiter final : public LibraryAwaiter {
 public:
  ChannelSendAwaiter(ChannelState<T>& state, T&& item)
      : state_(state), item_(std::move(item)) {}
  ChannelSendAwaiter(const ChannelSendAwaiter&) = delete;
  ChannelSendAwaiter& operator=(const ChannelSendAwaiter&) = delete;

  bool await_ready() {
    const ChannelCore::Lock lock = state_.lock();
    switch (state_.look(ChannelSide::kSend)) {
      case ChannelCore::Turn::kGo:
        state_.put(std::move(item_));
        return true;
      case ChannelCore::Turn::kWait:
        return false;
      case ChannelCore::Turn::kClosed:
        break;
    }
    ChannelCore::throw_closed();
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    ChannelCore::Lock lock = state_.lock();
    wait_.emplace(state_, ChannelSide::kSend);
    return wait_->park(caller.promise(), std::move(lock));
  }
  void await_resume() {
    if (!wait_) return;
    const ChannelCore::Lock lock = wait_->finish();
    state_.put_after_wait(std::move(item_));
  }

 private:
  ChannelState<T>& state_;
  T item_;
  std::optional<ChannelTaskWait> wait_;
};

template <class T>
class [[nodiscard]] ChannelSendRequest {
 public:
  ChannelSendRequest(ChannelState<T>& state, T&& item)
      : state_(&state), item_(std::move(item)) {}

  // Takes the item over: it is sent once.
  ChannelSendAwaiter<T> operator co_await() {
    return ChannelSendAwaiter<T>(*state_, std::move(item_));
  }

 private:
  ChannelState<T>* state_;
  T item_;
};

template <class T>
class ChannelReceiveAwaiter final : public LibraryAwaiter {
 public:
  explicit ChannelReceiveAwaiter(ChannelState<T>& state) : state_(state) {}
  ChannelReceiveAwaiter(const ChannelReceiveAwaiter&) = delete;
  ChannelReceiveAwaiter& operator=(const ChannelReceiveAwaiter&) = delete;

  bool await_ready() {
    const ChannelCore::Lock lock = state_.lock();
    switch (state_.look(ChannelSide::kReceive)) {
      case ChannelCore::Turn::kGo:
        // An item whose move may throw stays until it goes to its end at once.
        if constexpr (kMovesFreely) {
          item_.emplace(state_.take());
        } else {
          state_.promise(ChannelSide::kReceive);
          promised_ = true;
        }
        return true;
      case ChannelCore::Turn::kWait:
        return false;
      case ChannelCore::Turn::kClosed:
        break;
    }
    return true;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    ChannelCore::Lock lock = state_.lock();
    wait_.emplace(state_, ChannelSide::kReceive);
    return wait_->park(caller.promise(), std::move(lock));
  }
  std::optional<T> await_resume() {
    if (wait_) {
      const ChannelCore::Lock lock = wait_->finish();
      return state_.take_after_wait();
    }
    if constexpr (!kMovesFreely) {
      if (promised_) {
        const ChannelCore::Lock lock = state_.lock();
        state_.unpromise(ChannelSide::kReceive);
        return state_.take_after_wait();
      }
    }
    return std::move(item_);
  }

 private:
  static constexpr bool kMovesFreely = FifoStore<T>::kNeverThrows;

  ChannelState<T>& state_;
  bool promised_ = false;
  std::optional<T> item_;
  std::optional<ChannelTaskWait> wait_;
};

template <class T>
class [[nodiscard]] ChannelReceiveRequest {
 public:
  explicit ChannelReceiveRequest(ChannelState<T>& state) : state_(&state) {}
  ChannelReceiveAwaiter<T> operator co_await() const {
    return ChannelReceiveAwaiter<T>(*state_);
  }

 private:
  ChannelState<T>* state_;
};

// A handle of one end.
template <class T, ChannelSide kSide>
class ChannelHandle {
 public:
  ChannelHandle() = default;
  explicit ChannelHandle(std::shared_ptr<ChannelState<T>> state)
      : state_(std::move(state)) {
    state_->add_handle(kSide);
  }
  ChannelHandle(const ChannelHandle& other) : state_(other.state_) {
    if (state_) state_->add_handle(kSide);
  }
  ChannelHandle(ChannelHandle&& other) noexcept = default;
  ChannelHandle& operator=(ChannelHandle other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~ChannelHandle() {
    if (state_) state_->drop_handle(kSide);
  }

  explicit operator bool() const { return state_ != nullptr; }
  // Of the same channel.
  friend bool operator==(const ChannelHandle& a, const ChannelHandle& b) {
    return a.state_ == b.state_;
  }

  // Nothing can be sent from here on; what is in it can be received. Calling it
  // again does no harm.
  void close() const { state_->close(); }
  bool is_closed() const { return state_->is_closed(); }
  // How many items are in it; another thread may change that at once.
  size_t size() const { return state_->size(); }
  size_t capacity() const { return state_->capacity(); }

 protected:
  ChannelState<T>& state() const { return *state_; }

 private:
  std::shared_ptr<ChannelState<T>> state_;
};

}  // namespace internal

// Null when default-constructed.
template <class T>
class ChannelSender
    : public internal::ChannelHandle<T, internal::ChannelSide::kSend> {
  using Side = internal::ChannelSide;
  using Turn = internal::ChannelCore::Turn;

 public:
  using internal::ChannelHandle<T, Side::kSend>::ChannelHandle;

  // -> void, when it is in the channel. ChannelClosed.
  internal::ChannelSendRequest<T> send(T item) const {
    return internal::ChannelSendRequest<T>(this->state(), std::move(item));
  }
  // False where there is no room now; `item` is untouched then. ChannelClosed.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  bool try_send(U&& item) const {
    const auto lock = this->state().lock();
    const Turn turn = this->state().look(Side::kSend);
    if (turn == Turn::kClosed) internal::ChannelCore::throw_closed();
    if (turn == Turn::kWait) return false;
    this->state().put(std::forward<U>(item));
    return true;
  }
  // Blocks the thread, which runs no loop, until there is room. ChannelClosed,
  // TimeoutError; `item` is untouched then.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void send_blocking(U&& item, std::optional<Duration> timeout = {}) const {
    auto lock = this->state().lock();
    if (this->state().look(Side::kSend) == Turn::kWait) {
      internal::ChannelThreadWait wait(Side::kSend);
      wait.wait(this->state(), lock, timeout);
    }
    this->state().put_after_wait(std::forward<U>(item));
  }
};

// Null when default-constructed.
template <class T>
class ChannelReceiver
    : public internal::ChannelHandle<T, internal::ChannelSide::kReceive> {
  using Side = internal::ChannelSide;
  using Turn = internal::ChannelCore::Turn;

 public:
  using internal::ChannelHandle<T, Side::kReceive>::ChannelHandle;

  // -> optional<T>: empty where the channel is closed and nothing is left in
  // it.
  internal::ChannelReceiveRequest<T> recv() const {
    return internal::ChannelReceiveRequest<T>(this->state());
  }
  // Empty where there is none now, or ever.
  std::optional<T> try_recv() const {
    std::optional<T> item;
    const auto lock = this->state().lock();
    if (this->state().look(Side::kReceive) == Turn::kGo) {
      this->state().take_into(item);
    }
    return item;
  }
  // Blocks the thread, which runs no loop, until there is an item, or none will
  // come. TimeoutError.
  std::optional<T> recv_blocking(std::optional<Duration> timeout = {}) const {
    auto lock = this->state().lock();
    if (this->state().look(Side::kReceive) == Turn::kWait) {
      internal::ChannelThreadWait wait(Side::kReceive);
      wait.wait(this->state(), lock, timeout);
    }
    return this->state().take_after_wait();
  }
};

// Both ends of a new one.
template <class T>
class Channel {
 public:
  explicit Channel(size_t capacity)
      : Channel(std::make_shared<internal::ChannelState<T>>(capacity)) {}

  ChannelSender<T> sender;
  ChannelReceiver<T> receiver;

 private:
  explicit Channel(std::shared_ptr<internal::ChannelState<T>> state)
      : sender(state), receiver(std::move(state)) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_CHANNEL_H_
