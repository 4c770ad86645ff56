// OnceCore: who initialises, and who waits for it meanwhile.
//
// One task at a time runs; it says by a Running how that ended. Where it failed,
// the foremost waiter is woken and runs in its turn; nobody overtakes it.
#ifndef ASYNCIO_SYNC_INTERNAL_ONCE_CORE_H_
#define ASYNCIO_SYNC_INTERNAL_ONCE_CORE_H_

#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class OnceCore {
 public:
  explicit OnceCore(const WaiterKind& kind) : kind_(kind) {}
  OnceCore(const OnceCore&) = delete;
  OnceCore& operator=(const OnceCore&) = delete;

  bool done() const { return state_ == kDone; }
  // Whether nothing was done yet and nobody is about it.
  bool untouched() const { return state_ == kEmpty; }
  // It is done: wakes everybody.
  void finish();

  // The frame that runs holds one. Where it is destroyed before finish(), the
  // next runs.
  class Running {
   public:
    explicit Running(OnceCore& core);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();

    // RuntimeError where the core is gone.
    void check_alive() const;

   private:
    OnceCore& core_;
    Tether tether_;
    const WaiterKind& kind_;
  };

  // -> whether it is for the caller to run; else it is done.
  class Turn : public LibraryAwaiter {
   public:
    explicit Turn(OnceCore& core) : core_(core) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    bool await_ready();
    template <class P>
    void await_suspend(std::coroutine_handle<P> caller) {
      core_.waiters_.park(node_, core_.kind_, caller.promise());
    }
    bool await_resume();

   private:
    // A wake-up that this task was given, or that stopped at it, goes on.
    void pass_on() {
      if (core_.state_ == kEmpty) core_.waiters_.wake_front();
    }

    OnceCore& core_;
    WaitNode node_;
  };
  class TurnRequest {
   public:
    explicit TurnRequest(OnceCore& core) : core_(core) {}
    Turn operator co_await() const { return Turn(core_); }

   private:
    OnceCore& core_;
  };
  TurnRequest turn() { return TurnRequest(*this); }

 private:
  enum State : uint8_t { kEmpty, kRunning, kDone };

  const WaiterKind& kind_;
  State state_ = kEmpty;
  TaskCore* runner_ = nullptr;  // while kRunning
  WaitQueue waiters_;
  LoopBinding binding_;
  Anchor anchor_;
};

// Awaits O::init(F), which is made where it is not done yet. O has
//   bool done() const
//   R value()                 what it was done for
//   Coroutine<R> init(F)      does it, or waits until it is done
template <class O, class F, class R>
class OnceAwaiter final : public LibraryAwaiter {
 public:
  OnceAwaiter(O& owner, F&& fn) : owner_(owner), fn_(std::move(fn)) {}
  OnceAwaiter(const OnceAwaiter&) = delete;
  OnceAwaiter& operator=(const OnceAwaiter&) = delete;

  bool await_ready() const { return owner_.done(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    init_.emplace(owner_.init(std::move(fn_)).release());
    return init_->await_suspend(caller);
  }
  R await_resume() {
    if (init_) return init_->await_resume();
    return owner_.value();
  }

 private:
  O& owner_;
  F fn_;
  std::optional<CoroutineAwaiter<R>> init_;
};

template <class O, class F, class R>
class [[nodiscard]] OnceRequest {
 public:
  template <class G>
  OnceRequest(O& owner, G&& fn) : owner_(&owner), fn_(std::forward<G>(fn)) {}

  // Takes the callable over: it is run once.
  OnceAwaiter<O, F, R> operator co_await() {
    return OnceAwaiter<O, F, R>(*owner_, std::move(fn_));
  }

 private:
  O* owner_;
  F fn_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_ONCE_CORE_H_
