#include "asyncio/sync/condition.h"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <tuple>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/throw_again.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/sync/lock.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

using internal::LibraryAwaiter;
using internal::step_task;
using internal::WaiterKind;
using internal::WaitNode;

namespace {

constexpr WaiterKind kWaitKind = WaitNode::kind_named("Condition.wait");
constexpr WaiterKind kReacquireKind = WaitNode::kind_named("Lock.acquire");

// g++ 12 copies an awaiter that is awaited itself, not one that an operator
// makes.
template <class W, class... Args>
class Made {
 public:
  explicit Made(Args&... args) : args_(args...) {}
  W operator co_await() const {
    return std::apply([](Args&... args) { return W(args...); }, args_);
  }

 private:
  std::tuple<Args&...> args_;
};
template <class W, class... Args>
Made<W, Args...> make(Args&... args) {
  return Made<W, Args...>(args...);
}

}  // namespace

// Waits to be notified. Gives what ended the wait otherwise.
class Condition::Notified : public LibraryAwaiter {
 public:
  explicit Notified(Condition& condition) : condition_(condition) {}
  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    condition_.waiters_.park(node_, kWaitKind, caller.promise());
  }
  std::exception_ptr await_resume() {
    node_.leave();
    return step_task()->take_cancelled_error();
  }

 private:
  Condition& condition_;
  WaitNode node_;
};

// Waits for the lock, without throwing.
class Condition::Reacquired : public LibraryAwaiter {
 public:
  enum class End { kAcquired, kCancelled, kGone };

  Reacquired(Lock& lock, std::exception_ptr& error)
      : lock_(lock), error_(error) {}
  ~Reacquired() {
    if (node_.waits()) [[unlikely]] Lock::give_up(lock_, node_);
  }
  bool await_ready() {
    if (lock_.try_acquire()) return true;
    lock_.prepare_wait();
    return false;
  }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    lock_.waiters_.park(node_, kReacquireKind, caller.promise());
  }
  End await_resume() {
    if (!node_.waits()) return End::kAcquired;
    const bool alive = node_.leave();
    if (std::exception_ptr cancelled = step_task()->take_cancelled_error()) {
      error_ = cancelled;
      if (!alive) return End::kGone;
      lock_.pass_on();
      return End::kCancelled;
    }
    if (!alive) return End::kGone;
    lock_.locked_ = true;
    return End::kAcquired;
  }

 private:
  Lock& lock_;
  std::exception_ptr& error_;
  WaitNode node_;
};

// The notification that a task may have had goes to another, unless it is kept.
class Condition::Notification {
 public:
  Notification(Condition& condition, const internal::Tether& tether)
      : condition_(condition), tether_(tether) {}
  ~Notification() {
    if (!kept_ && tether_.holds()) condition_.wake(1);
  }
  void keep() { kept_ = true; }

 private:
  Condition& condition_;
  const internal::Tether& tether_;
  bool kept_ = false;
};

Coroutine<bool> Condition::wait() {
  check_locked("cannot wait on un-acquired lock");
  binding_.check("Condition");
  Lock& lock = *lock_;
  internal::Tether tether(anchor_);
  internal::Tether lock_tether(lock.anchor_);
  Notification notification(*this, tether);
  lock.release();
  std::exception_ptr error = co_await make<Notified>(*this);
  try {
    auto end = Reacquired::End::kCancelled;
    if (!lock_tether.holds()) end = Reacquired::End::kGone;
    while (end == Reacquired::End::kCancelled) {
      end = co_await make<Reacquired>(lock, error);
    }
    if (end == Reacquired::End::kGone && !error) throw_destroyed();
  } catch (...) {
    error = std::current_exception();
  }
  if (error) internal::throw_again(error);
  notification.keep();
  co_return true;
}

void Condition::notify(ptrdiff_t n) {
  check_locked("cannot notify on un-acquired lock");
  wake(n);
}

void Condition::notify_all() {
  check_locked("cannot notify on un-acquired lock");
  waiters_.wake_all();
}

void Condition::wake(ptrdiff_t n) {
  while (n > 0 && waiters_.wake_next()) --n;
}

void Condition::check_locked(const char* message) const {
  if (!locked()) throw RuntimeError(message);
}

void Condition::throw_destroyed() { internal::throw_destroyed(kWaitKind); }

}  // namespace asyncio
