// Oneshot: passes one value from a task or thread to another, once.
//
//   auto [sender, receiver] = Oneshot<Reply>();
//   co_await requests.send({query, std::move(sender)});  // a Channel
//   Reply reply = co_await receiver.recv();
//
//   // Where the request is served, in any thread:
//   if (!request.sender.send(answer)) { ... }  // nobody waits for it any more
//
// Both ends are handles that are moved, not copied. Where the sender goes
// without having sent anything, recv() throws ChannelClosed. Where the receiver
// goes, or anybody calls close(), send() gives false and leaves the value with
// its caller; a value that was sent before close() can be received.
//
// Order: of several waits for the value the first gets it; the others end with
// ChannelClosed.
// Cancellation: of a recv(), woken before or not, loses no value: the next
// recv() gets it.
// Errors: a value whose move throws is either in the channel or where it came
// from, and can be sent, or received, again.
// Lifetime: a handle outlives the start of what it was asked for; whoever waits
// keeps the channel, and counts as its receiver. A value that nobody received
// is destroyed with the receiver.
// Threads: any. A value is moved while the channel is locked: its move must not
// use the same channel.
// Cost: one allocation, with room for the value; one mutex an operation that
// need not wait, and waiting allocates nothing.
#ifndef ASYNCIO_SYNC_ONESHOT_H_
#define ASYNCIO_SYNC_ONESHOT_H_

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/time.h"
#include "asyncio/sync/channel.h"
#include "asyncio/sync/internal/channel_core.h"
#include "asyncio/sync/internal/success.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

// Holds one item at most.
template <class T>
class SlotStore {
 public:
  static constexpr bool kNeverThrows = std::is_nothrow_move_constructible_v<T>;

  template <class U>
  void emplace(U&& item) {
    slot_.emplace(std::forward<U>(item));
  }
  T take() {
    struct Drop {
      ~Drop() {
        if (success) store.drop();
      }
      SlotStore& store;
      Success<kNeverThrows> success = {};
    } drop{*this};
    return std::move(*slot_);
  }
  void drop() { slot_.reset(); }

 private:
  std::optional<T> slot_;
};

template <class T>
using OneshotState = ChannelState<T, SlotStore<T>>;

inline constexpr WaiterKind kOneshotReceive{1, "Oneshot.recv", nullptr, nullptr};

template <class T>
class OneshotReceiveAwaiter final : public LibraryAwaiter {
 public:
  explicit OneshotReceiveAwaiter(OneshotState<T>& state) : state_(state) {}
  OneshotReceiveAwaiter(const OneshotReceiveAwaiter&) = delete;
  OneshotReceiveAwaiter& operator=(const OneshotReceiveAwaiter&) = delete;

  // The value stays until it goes to its end at once: it is moved one time.
  bool await_ready() {
    const ChannelCore::Lock lock = state_.lock();
    const ChannelCore::Turn turn = state_.look(ChannelSide::kReceive);
    promised_ = turn == ChannelCore::Turn::kGo;
    if (promised_) state_.promise(ChannelSide::kReceive);
    return turn != ChannelCore::Turn::kWait;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    ChannelCore::Lock lock = state_.lock();
    wait_.emplace(state_, ChannelSide::kReceive, kOneshotReceive);
    return wait_->park(caller.promise(), std::move(lock));
  }
  T await_resume() {
    if (wait_) {
      const ChannelCore::Lock lock = wait_->finish();
      return state_.take_after_wait_or_throw();
    }
    const ChannelCore::Lock lock = state_.lock();
    if (promised_) state_.unpromise(ChannelSide::kReceive);
    return state_.take_after_wait_or_throw();
  }

 private:
  OneshotState<T>& state_;
  bool promised_ = false;
  std::optional<ChannelTaskWait> wait_;
};

template <class T>
class [[nodiscard]] OneshotReceiveRequest {
 public:
  explicit OneshotReceiveRequest(OneshotState<T>& state) : state_(&state) {}
  OneshotReceiveAwaiter<T> operator co_await() const {
    return OneshotReceiveAwaiter<T>(*state_);
  }

 private:
  OneshotState<T>* state_;
};

// The handle of one end.
template <class T, ChannelSide kSide>
class OneshotHandle {
 public:
  OneshotHandle() = default;
  explicit OneshotHandle(std::shared_ptr<OneshotState<T>> state)
      : state_(std::move(state)) {
    state_->add_handle(kSide);
  }
  OneshotHandle(OneshotHandle&& other) noexcept = default;
  OneshotHandle& operator=(OneshotHandle&& other) noexcept {
    OneshotHandle taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
  }
  ~OneshotHandle() {
    if (state_) state_->drop_handle(kSide);
  }

  explicit operator bool() const { return state_ != nullptr; }

  // Nothing can be sent from here on; what was sent can be received. Calling it
  // again does no harm.
  void close() const { state_->close(); }
  // Nothing can be sent: the value was, or an end is gone, or it was closed.
  bool is_closed() const { return state_->is_closed(); }

 protected:
  OneshotState<T>& state() const { return *state_; }

 private:
  std::shared_ptr<OneshotState<T>> state_;
};

}  // namespace internal

// Null when default-constructed, or moved from.
template <class T>
class OneshotSender
    : public internal::OneshotHandle<T, internal::ChannelSide::kSend> {
  using Side = internal::ChannelSide;
  using Turn = internal::ChannelCore::Turn;

 public:
  using internal::OneshotHandle<T, Side::kSend>::OneshotHandle;

  // False where it is closed; `value` is untouched then.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  bool send(U&& value) const {
    const auto lock = this->state().lock();
    if (this->state().look(Side::kSend) != Turn::kGo) return false;
    this->state().put(std::forward<U>(value));
    this->state().seal();
    return true;
  }
};

// Null when default-constructed, or moved from.
template <class T>
class OneshotReceiver
    : public internal::OneshotHandle<T, internal::ChannelSide::kReceive> {
  using Side = internal::ChannelSide;
  using Turn = internal::ChannelCore::Turn;

 public:
  using internal::OneshotHandle<T, Side::kReceive>::OneshotHandle;

  // -> T, once. ChannelClosed where none is there and none will come.
  internal::OneshotReceiveRequest<T> recv() const {
    return internal::OneshotReceiveRequest<T>(this->state());
  }
  // Empty where it is not there now, or was received, or will not come.
  std::optional<T> try_recv() const {
    std::optional<T> value;
    const auto lock = this->state().lock();
    if (this->state().look(Side::kReceive) != Turn::kGo) return value;
    this->state().take_into(value);
    return value;
  }
  // Blocks the thread, which runs no loop, until the value is there.
  // ChannelClosed as above, TimeoutError.
  T recv_blocking(std::optional<Duration> timeout = {}) const {
    auto lock = this->state().lock();
    if (this->state().look(Side::kReceive) == Turn::kWait) {
      internal::ChannelThreadWait wait(Side::kReceive);
      wait.wait(this->state(), lock, timeout);
    }
    return this->state().take_after_wait_or_throw();
  }
};

// Both ends of a new one.
template <class T>
class Oneshot {
 public:
  Oneshot() : Oneshot(std::make_shared<internal::OneshotState<T>>(1)) {}

  OneshotSender<T> sender;
  OneshotReceiver<T> receiver;

 private:
  explicit Oneshot(std::shared_ptr<internal::OneshotState<T>> state)
      : sender(state), receiver(std::move(state)) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_ONESHOT_H_
