// OnceCell and Once: what is to be made, or done, by the first task that needs
// it, while the others wait for it.
//
//   OnceCell<Connection> database;
//   Connection& c = co_await database.get_or_init([] { return connect(); });
//
//   Once migrated;
//   co_await migrated.call([&]() -> Coroutine<> { co_await migrate(c); });
//
// The first to come runs its callable, in its own task: a coroutine function or
// a plain one. Where that throws, or the task is cancelled, the exception is
// that task's alone, and the next to have come runs its own callable.
//
// Order: first come, first served. Whoever waits goes on one turn of the loop
// after it is done.
// Cancellation: of a waiter, woken before or not, leaves the turn to the next.
// Errors: a callable that asks for the very cell that it initialises is
// RuntimeError: it would wait for itself for ever.
// Lifetime: a value stays where it is as long as the cell does. Destroyed with
// waiters a cell lets go of them: they can still be cancelled; who was woken, or
// was initialising, gets RuntimeError.
// Threads: one loop's, the first that waits in it; RuntimeError in another. What
// is initialised may be used in any.
// Cost: once it is there, some instructions, no frame and no turn of the loop;
// before, two frames from the pool.
#ifndef ASYNCIO_SYNC_ONCE_H_
#define ASYNCIO_SYNC_ONCE_H_

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/sync/internal/once_core.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/waiter.h"
#include "asyncio/task/with.h"

namespace asyncio {

template <class T>
class OnceCell {
  static_assert(std::is_object_v<T>, "a cell holds an object; see Once");

 public:
  OnceCell() = default;
  OnceCell(const OnceCell&) = delete;
  OnceCell& operator=(const OnceCell&) = delete;

  // -> T&, of what `fn` gave: this call's, or that of whoever came first.
  template <class F>
    requires std::invocable<std::decay_t<F>&>
  internal::OnceRequest<OnceCell, std::decay_t<F>, T&> get_or_init(F&& fn) {
    static_assert(
        std::constructible_from<T, internal::CallValue<std::decay_t<F>&>>,
        "the callable gives no T");
    return internal::OnceRequest<OnceCell, std::decay_t<F>, T&>(
        *this, std::forward<F>(fn));
  }

  // Null where it is not initialised.
  T* get() { return value_ ? &*value_ : nullptr; }
  const T* get() const { return value_ ? &*value_ : nullptr; }

  // False, and `value` is dropped, where it is initialised or being so.
  bool set(T value) {
    if (!core_.untouched()) return false;
    value_.emplace(std::move(value));
    core_.finish();
    return true;
  }

 private:
  template <class O, class F, class R>
  friend class internal::OnceAwaiter;

  bool done() const { return core_.done(); }
  T& value() { return *value_; }
  template <class F>
  Coroutine<T&> init(F fn) {
    const bool mine = co_await core_.turn();
    if (mine) {
      const internal::OnceCore::Running running(core_);
      auto made = co_await internal::call_as_result<F>(fn);
      made.rethrow();
      running.check_alive();
      value_.emplace(*std::move(made));
      core_.finish();
    }
    co_return *value_;
  }

  static constexpr internal::WaiterKind kKind =
      internal::WaitNode::kind_named("OnceCell.get_or_init");
  std::optional<T> value_;
  internal::OnceCore core_{kKind};
};

class Once {
 public:
  Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  // -> void, when `fn` was run to its end: this call's, or that of whoever came
  // first. What it gives is dropped.
  template <class F>
    requires std::invocable<std::decay_t<F>&>
  internal::OnceRequest<Once, std::decay_t<F>, void> call(F&& fn) {
    return internal::OnceRequest<Once, std::decay_t<F>, void>(
        *this, std::forward<F>(fn));
  }

  bool done() const { return core_.done(); }

 private:
  template <class O, class F, class R>
  friend class internal::OnceAwaiter;

  void value() const {}
  template <class F>
  Coroutine<> init(F fn) {
    const bool mine = co_await core_.turn();
    if (mine) {
      const internal::OnceCore::Running running(core_);
      auto made = co_await internal::call_as_result<F>(fn);
      made.rethrow();
      running.check_alive();
      core_.finish();
    }
  }

  static constexpr internal::WaiterKind kKind =
      internal::WaitNode::kind_named("Once.call");
  internal::OnceCore core_{kKind};
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_ONCE_H_
