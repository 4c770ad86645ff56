// Future<T>: a result that is not there yet.
//
//   Future<int> ready = create_future<int>();
//   loop.call_later(1s, [ready] { ready.set_result(42); });
//   int n = co_await ready;
//
// A handle: copies share one future, null when default-constructed. Any number of
// tasks may await it. An exception that nobody fetched is reported to the loop's
// exception handler when the last handle goes.
//
// Order: resolving it schedules the waiting tasks and the callbacks in the order
// in which they came, for the loop's next turn; nothing runs inside set_result().
// Cancellation: cancelling a task that awaits a future cancels the future.
// Threads: the loop's alone, copying included; to reach it from elsewhere move it
// into a closure for call_soon_threadsafe().
// Lifetime: done(), result() and exception() work on after the loop is gone.
#ifndef ASYNCIO_TASK_FUTURE_H_
#define ASYNCIO_TASK_FUTURE_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "asyncio/base/any_future.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/value_slot.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/internal/future_awaiter.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

namespace internal {

// A core with room for its value.
template <class Base, class T>
class WithValue : public Base {
 public:
  using Base::Base;

  T& value() { return *value_; }
  template <class... Args>
  void emplace(Args&&... args) {
    value_.emplace(std::forward<Args>(args)...);
  }

 protected:
  ~WithValue() override = default;

 private:
  ValueSlot<T> value_;
};

template <class Base>
class WithValue<Base, void> : public Base {
 public:
  using Base::Base;
  void value() {}

 protected:
  ~WithValue() override = default;
};

template <class Base, class T>
class WithValue<Base, T&> : public Base {
 public:
  using Base::Base;
  T& value() { return *value_; }
  void emplace(T& value) { value_ = std::addressof(value); }

 protected:
  ~WithValue() override = default;

 private:
  T* value_ = nullptr;
};

template <class T>
using FutureState = WithValue<FutureCore, T>;
template <class T>
using TaskValue = WithValue<TaskCore, T>;

// `const T&`, also for T = void and T = U&.
template <class T>
struct ResultRef {
  using type = const T&;
};
template <class T>
struct ResultRef<T&> {
  using type = T&;
};
template <>
struct ResultRef<void> {
  using type = void;
};

// Where a future or a task keeps its value; it has one.
template <class T>
decltype(auto) value_of(FutureCore& core) {
  if constexpr (std::is_void_v<T>) {
    return;  // what is read as an AnyFuture may well have one
  } else {
    return core.is_task() ? static_cast<TaskValue<T>&>(core).value()
                          : static_cast<FutureState<T>&>(core).value();
  }
}

template <class T>
class PlainFuture final : public FutureState<T> {
 public:
  using FutureState<T>::FutureState;

 private:
  // The same as the one above, without a virtual destructor's call.
  void dispose() override {
    if (!this->unretrieved_ || this->report_unretrieved()) delete this;
  }
};

// Whether a copy of T compiles: a std::vector says it can be copied whatever it
// holds.
template <class T>
struct IsCopyable : std::is_copy_constructible<T> {};
template <class T>
constexpr bool kCopyable = IsCopyable<T>::value;
template <class T>
  requires requires(T& range) {
    range.begin();
    typename T::value_type;
  } && (!std::is_same_v<typename T::value_type, T>)
struct IsCopyable<T>
    : std::bool_constant<std::is_copy_constructible_v<T> &&
                         kCopyable<typename T::value_type>> {};
template <class T>
struct IsCopyable<std::optional<T>> : IsCopyable<T> {};
template <class... Ts>
struct IsCopyable<std::tuple<Ts...>>
    : std::bool_constant<(kCopyable<Ts> && ...)> {};
template <class A, class B>
struct IsCopyable<std::pair<A, B>>
    : std::bool_constant<kCopyable<A> && kCopyable<B>> {};

// `co_await` of a handle that stays: gives a reference into it.
template <class T>
class FutureRefAwaiter : public FutureAwaiter {
 public:
  using FutureAwaiter::FutureAwaiter;
  typename ResultRef<T>::type await_resume() {
    finish_wait();
    return value_of<T>(future());
  }
  // In place of await_resume(): throws nothing of the future's.
  Result<T> take_result()
    requires(std::is_void_v<T> || kCopyable<T>)
  {
    if (std::exception_ptr e = failure()) return Result<T>(std::move(e));
    if constexpr (std::is_void_v<T>) {
      return Result<T>();
    } else {
      return Result<T>(value_of<T>(future()));
    }
  }
};

// `co_await` of a handle that goes: gives the value, moved out where nobody else
// can look at it any more or where it cannot be copied.
template <class T>
class FutureValueAwaiter : public FutureAwaiter {
 public:
  using FutureAwaiter::FutureAwaiter;
  T await_resume() {
    finish_wait();
    return take();
  }
  // In place of await_resume(): throws nothing of the future's.
  Result<T> take_result() {
    if (std::exception_ptr e = failure()) return Result<T>(std::move(e));
    if constexpr (std::is_void_v<T>) {
      return Result<T>();
    } else {
      return Result<T>(take());
    }
  }

 private:
  T take() {
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return value_of<T>(future());
    } else if constexpr (kCopyable<T>) {
      T& value = value_of<T>(future());
      if (future().shared()) return value;
      return std::move(value);
    } else {
      return std::move(value_of<T>(future()));
    }
  }
};

// An exception object as an exception_ptr.
template <class E>
std::exception_ptr to_exception_ptr(E&& exception) {
  if constexpr (std::is_convertible_v<E&&, std::exception_ptr>) {
    return std::forward<E>(exception);
  } else {
    return std::make_exception_ptr(std::forward<E>(exception));
  }
}

[[noreturn]] void throw_null_exception();
[[noreturn]] void throw_task_result(const char* operation);

}  // namespace internal

template <class T>
class Future {
 public:
  using value_type = T;

  Future() = default;

  // Whether it has a result, an exception, or was cancelled.
  bool done() const { return core_->done(); }
  bool cancelled() const { return core_->cancelled(); }
  // Ends it with CancelledError. False where it is done already.
  bool cancel(std::string_view message = {}) const {
    return core_->cancel(message);
  }

  // The result. InvalidStateError("Result is not set.") while it is pending,
  // CancelledError where it was cancelled, else the stored exception: the same
  // object each time.
  typename internal::ResultRef<T>::type result() const {
    core_->check_result();
    return internal::value_of<T>(*core_);
  }
  // The stored exception, null where it ended well. Throws InvalidStateError
  // while it is pending and CancelledError where it was cancelled.
  std::exception_ptr exception() const { return core_->exception(); }

  // Ends it. InvalidStateError where it is done already.
  template <class U = T>
    requires(!std::is_void_v<T> && !std::is_reference_v<T> &&
             std::is_constructible_v<T, U>)
  void set_result(U&& value) const {
    internal::FutureState<T>& state = this->state();
    core_->check_pending();
    state.emplace(std::forward<U>(value));
    core_->finish();
  }
  template <class U = T>
    requires std::is_reference_v<U>
  void set_result(std::type_identity_t<U> value) const {
    internal::FutureState<T>& state = this->state();
    core_->check_pending();
    state.emplace(value);
    core_->finish();
  }
  void set_result() const
    requires std::is_void_v<T>
  {
    static_cast<void>(state());
    core_->check_pending();
    core_->finish();
  }
  // An exception_ptr, or any object to be thrown. A CancelledError is stored like
  // any other: only cancel() makes the future cancelled.
  template <class E>
  void set_exception(E&& exception) const {
    std::exception_ptr e =
        internal::to_exception_ptr(std::forward<E>(exception));
    if (e == nullptr) internal::throw_null_exception();
    if (core_->is_task()) [[unlikely]] {
      internal::throw_task_result("set_exception");
    }
    core_->fail(std::move(e));
  }

  // Calls fn(Future<T>), or fn(), once it is done: in the loop's next turn, in
  // order with the tasks that await it, also where it is done already. What it
  // throws goes to the loop's exception handler.
  template <class F>
  CallbackId add_done_callback(F fn, CallbackOptions options = {}) const {
    return add_callback_as<Future<T>>(std::move(fn), options);
  }
  // How many were removed: 0 or 1. One that is scheduled already still runs.
  size_t remove_done_callback(CallbackId id) const {
    return core_->remove_callback(id);
  }

  EventLoop& get_loop() const { return *core_->loop(); }

  internal::FutureRefAwaiter<T> operator co_await() const& {
    return internal::FutureRefAwaiter<T>(core_);
  }
  internal::FutureValueAwaiter<T> operator co_await() && {
    return internal::FutureValueAwaiter<T>(std::move(core_));
  }

  explicit operator bool() const { return static_cast<bool>(core_); }
  friend bool operator==(const Future& a, const Future& b) {
    return a.core_ == b.core_;
  }
  template <class H>
  friend H AbslHashValue(H h, const Future& f) {
    return H::combine(std::move(h), f.core_.get());
  }
  friend std::string to_string(const Future& f) {
    return to_string(AnyFuture(f));
  }
  friend std::ostream& operator<<(std::ostream& out, const Future& f) {
    return out << AnyFuture(f);
  }

  // For the library.
  explicit Future(internal::Ref<internal::FutureCore> core)
      : core_(std::move(core)) {}
  internal::ErasedFuture* erased() const { return core_.get(); }
  internal::FutureCore* core() const { return core_.get(); }

 protected:
  template <class Handle, class F>
  CallbackId add_callback_as(F fn, CallbackOptions options) const {
    return core_->add_callback(
        [fn = std::move(fn)](internal::ErasedFuture& done) mutable {
          if constexpr (std::is_invocable_v<F&, Handle>) {
            static_cast<void>(
                std::invoke(fn, Handle(internal::Ref<internal::FutureCore>(
                                    static_cast<internal::FutureCore*>(&done)))));
          } else {
            static_cast<void>(std::invoke(fn));
          }
        },
        options.context);
  }
  // Where the value goes. RuntimeError of a task: its coroutine alone resolves it.
  internal::FutureState<T>& state() const {
    if (core_->is_task()) [[unlikely]] internal::throw_task_result("set_result");
    return static_cast<internal::FutureState<T>&>(*core_);
  }

  internal::Ref<internal::FutureCore> core_;
};

// A pending future of `loop`, or of the running one.
template <class T = void>
Future<T> create_future(EventLoop& loop) {
  internal::LoopAccess::check_thread(loop);
  return Future<T>(internal::Ref<internal::FutureCore>::adopt(
      new internal::PlainFuture<T>(loop)));
}
template <class T = void>
Future<T> create_future() {
  return create_future<T>(get_running_loop());
}

// Awaits any future or task for its end; throws what it ended with.
inline internal::FutureRefAwaiter<void> operator co_await(const AnyFuture& f) {
  return internal::FutureRefAwaiter<void>(internal::Ref<internal::FutureCore>(
      static_cast<internal::FutureCore*>(f.erased())));
}

// Whether `range` holds a handle of the same future.
template <class Range, class H>
bool contains(const Range& range, const H& handle) {
  for (const auto& element : range) {
    if (element.erased() == handle.erased()) return true;
  }
  return false;
}

}  // namespace asyncio

template <class T>
struct std::hash<asyncio::Future<T>> {
  size_t operator()(const asyncio::Future<T>& f) const noexcept {
    return std::hash<const void*>()(f.erased());
  }
};

#endif  // ASYNCIO_TASK_FUTURE_H_
