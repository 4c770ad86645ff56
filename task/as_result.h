// as_result: awaits, and gives what was thrown as a value.
//
//   Result<int> r = co_await as_result(fetch());
//   if (!r) co_await cleanup();         // an await that a catch block cannot have
//   co_return r.value();                // the value, or throws what fetch() threw
//
// It never throws what the awaitable throws, CancelledError included: rethrow()
// what is not yours.
// Cost: for a coroutine and a sleep no throw and no frame of its own.
#ifndef ASYNCIO_TASK_AS_RESULT_H_
#define ASYNCIO_TASK_AS_RESULT_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/result.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/internal/awaiter_of.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {

template <class W, class T>
class AsResultAwaiter final : public LibraryAwaiter {
 public:
  template <class A>
  explicit AsResultAwaiter(A&& awaitable)
      : inner_(library_awaiter(std::forward<A>(awaitable))) {}

  bool await_ready() {
    try {
      return inner_.await_ready();
    } catch (...) {
      refused_ = std::current_exception();
      return true;
    }
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    try {
      if constexpr (std::is_void_v<decltype(inner_.await_suspend(caller))>) {
        inner_.await_suspend(caller);
        return true;
      } else {
        return inner_.await_suspend(caller);
      }
    } catch (...) {
      refused_ = std::current_exception();
      return false;
    }
  }
  Result<T> await_resume() {
    if (refused_) return Result<T>(refused_);
    try {
      if constexpr (requires { inner_.take_result(); }) {
        return inner_.take_result();  // may throw where it copies or moves a value
      } else if constexpr (std::is_void_v<T>) {
        inner_.await_resume();
        return Result<T>();
      } else {
        return Result<T>(inner_.await_resume());
      }
    } catch (...) {
      return Result<T>(std::current_exception());
    }
  }

 private:
  W inner_;
  std::exception_ptr refused_;
};

}  // namespace internal

// What as_result() gives.
template <class A>
class [[nodiscard]] AsResult {
 public:
  explicit AsResult(A awaitable) : awaitable_(std::move(awaitable)) {}

  auto operator co_await() && {
    using W = decltype(internal::library_awaiter(std::declval<A&&>()));
    return internal::AsResultAwaiter<std::remove_reference_t<W>,
                                     internal::AwaitValue<A&&>>(
        std::move(awaitable_));
  }

 private:
  A awaitable_;
};

template <Runnable A>
auto as_result(A&& awaitable) {
  constexpr bool kCoroutine =
      internal::IsCoroutine<std::remove_cvref_t<A>>::value;
  if constexpr (Awaitable<A> && !kCoroutine) {
    return AsResult<std::remove_cvref_t<A>>(std::forward<A>(awaitable));
  } else {
    return AsResult(internal::to_coroutine(std::forward<A>(awaitable)));
  }
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_AS_RESULT_H_
