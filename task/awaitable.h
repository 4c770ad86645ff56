// Awaitable: what `co_await` takes, and what run(), create_task(), gather() and
// their like take to be run.
//
// Awaitable are Coroutine, Future and Task, what the functions of this library
// return (`sleep(1s)`, `lock.acquire()`), and anything with a C++ awaiter from
// elsewhere: await_ready(), await_suspend(), await_resume(), by themselves or
// behind an operator co_await. One from elsewhere may be resumed from any thread;
// the task goes on in its own loop.
//
// Where something is taken to be run, a callable without arguments that returns
// an awaitable will do as well. It is kept until the awaitable has ended, so that
// a lambda may capture.
#ifndef ASYNCIO_TASK_AWAITABLE_H_
#define ASYNCIO_TASK_AWAITABLE_H_

#include <type_traits>
#include <utility>

#include "asyncio/base/any_future.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/awaiter_of.h"
#include "asyncio/task/internal/foreign_awaiter.h"

namespace asyncio {

template <class A>
concept Awaitable = internal::HasAwaiter<A>;

namespace internal {

// What `co_await a` gives, as a type that can be stored: a `const T&` of a task
// becomes T.
template <class A>
struct AwaitValueOf {
  using type = std::remove_cvref_t<AwaitResume<A>>;
};
template <class T>
struct AwaitValueOf<Coroutine<T>> {
  using type = T;
};
template <class A>
struct IsFuture : std::false_type {};
template <class T>
struct IsFuture<Future<T>> : std::true_type {};
template <class T>
struct IsFuture<Task<T>> : std::true_type {};
template <class A>
  requires IsFuture<std::remove_cvref_t<A>>::value
struct AwaitValueOf<A> {
  using type = typename std::remove_cvref_t<A>::value_type;
};
template <class A>
using AwaitValue =
    typename AwaitValueOf<std::conditional_t<
        std::is_lvalue_reference_v<A>, A, std::remove_cvref_t<A>>>::type;

template <class F>
concept AwaitableFunction =
    !Awaitable<F> && std::is_invocable_v<std::decay_t<F>&> &&
    Awaitable<std::invoke_result_t<std::decay_t<F>&>>;

template <class A>
struct IsCoroutine : std::false_type {};
template <class T>
struct IsCoroutine<Coroutine<T>> : std::true_type {};

template <class A>
Coroutine<AwaitValue<A&&>> await_object(A awaitable) {
  co_return co_await std::move(awaitable);
}
template <class F>
Coroutine<AwaitValue<std::invoke_result_t<F&>>> await_call(F fn) {
  co_return co_await fn();
}

// Anything that can be run, as a coroutine that owns it.
template <class A>
auto to_coroutine(A&& a) {
  using Value = std::remove_cvref_t<A>;
  if constexpr (IsCoroutine<Value>::value) {
    static_assert(!std::is_lvalue_reference_v<A>,
                  "a coroutine is moved in: std::move(c)");
    return std::move(a);  // one error where it was an lvalue
  } else if constexpr (Awaitable<A>) {
    return await_object<Value>(std::forward<A>(a));
  } else {
    static_assert(AwaitableFunction<A>,
                  "needs an awaitable, or a callable without arguments that "
                  "returns one");
    return await_call<std::decay_t<A>>(std::forward<A>(a));
  }
}

// The value of what to_coroutine() makes.
template <class A>
using RunValue = typename decltype(to_coroutine(std::declval<A>()))::value_type;

}  // namespace internal

template <class A>
concept Runnable = Awaitable<A> || internal::AwaitableFunction<A>;

}  // namespace asyncio

#endif  // ASYNCIO_TASK_AWAITABLE_H_
