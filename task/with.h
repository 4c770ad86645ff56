// with and try_finally: Python's `async with` and `try ... finally`, whose ends
// may await.
//
//   co_await with(lock, [&] { ++shared; });
//   co_await with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> { ... });
//   co_await try_finally([&] { return transfer(); }, [&] { return rollback(); });
//
// A manager has `aenter() -> E` (or void) and `aexit(std::exception_ptr) -> bool`,
// both awaitable; aexit() runs on every way out of the body, is given what the
// body threw, and returns true to swallow it. The body is a coroutine function or
// a plain one; it is given E, or the manager where aenter() gives nothing, or
// takes no argument. `with` gives what the body gives.
//
// Lifetime: a manager given as an rvalue lives in the frame; one given as an
// lvalue must outlive the await. The body is kept until it has ended.
// Cancellation: of the body as anywhere; aexit() and the cleanup are run after it
// and may be interrupted by a further cancellation.
#ifndef ASYNCIO_TASK_WITH_H_
#define ASYNCIO_TASK_WITH_H_

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

namespace internal {

template <class R>
struct CallValueOf {
  using type = R;
};
template <Awaitable R>
struct CallValueOf<R> {
  using type = AwaitValue<R>;
};
// What a call gives once it is awaited, where it can be.
template <class F, class... Args>
using CallValue =
    typename CallValueOf<std::invoke_result_t<F, Args...>>::type;

// Calls fn and awaits what it returns where that is awaitable; never throws.
template <class F, class... Args>
Coroutine<Result<CallValue<F&, Args...>>> call_as_result(F& fn, Args... args) {
  using Returned = std::invoke_result_t<F&, Args...>;
  using Value = CallValue<F&, Args...>;
  // By hand, as g++ 12 cannot be trusted with more in one expression.
  std::exception_ptr thrown;
  if constexpr (Awaitable<Returned>) {
    std::optional<AsResult<std::remove_cvref_t<Returned>>> running;
    try {
      running.emplace(std::invoke(fn, std::forward<Args>(args)...));
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) co_return Result<Value>(thrown);
    co_return co_await *std::move(running);
  } else {
    std::optional<Result<Value>> result;
    try {
      if constexpr (std::is_void_v<Value>) {
        std::invoke(fn, std::forward<Args>(args)...);
        result.emplace();
      } else {
        result.emplace(std::invoke(fn, std::forward<Args>(args)...));
      }
    } catch (...) {
      result.emplace(std::current_exception());
    }
    co_return *std::move(result);
  }
}

// The value, which may be void or a reference.
template <class T>
T value_of_result(Result<T>&& result) {
  result.rethrow();
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

template <class M>
using Entered = AwaitValue<decltype(std::declval<M&>().aenter())>;

// How the body is to be called: with E, with the manager, or with nothing.
template <class M, class F>
constexpr bool kTakesEntered = [] {
  if constexpr (std::is_void_v<Entered<M>>) {
    return false;
  } else {
    return std::is_invocable_v<F&, Entered<M>>;
  }
}();
template <class M, class F>
constexpr bool kTakesManager = !kTakesEntered<M, F> &&
                               std::is_invocable_v<F&, M&>;

template <class M, class F>
struct BodyValueOf {
  using type = CallValue<F&>;
};
template <class M, class F>
  requires kTakesEntered<M, F>
struct BodyValueOf<M, F> {
  using type = CallValue<F&, Entered<M>>;
};
template <class M, class F>
  requires kTakesManager<M, F>
struct BodyValueOf<M, F> {
  using type = CallValue<F&, M&>;
};
template <class M, class F>
using BodyValue = typename BodyValueOf<M, F>::type;

[[noreturn]] void throw_swallowed();

// `Held` is M for a manager that lives here, M& for one that lives elsewhere.
template <class Held, class F>
Coroutine<BodyValue<std::remove_reference_t<Held>, F>> run_with(Held held,
                                                                 F body) {
  using M = std::remove_reference_t<Held>;
  using Value = BodyValue<M, F>;
  std::optional<Result<Value>> result;
  if constexpr (kTakesEntered<M, F>) {
    Entered<M> entered = co_await held.aenter();
    auto call = call_as_result<F, Entered<M>>(
        body, std::forward<Entered<M>>(entered));
    result.emplace(co_await std::move(call));
  } else {
    co_await held.aenter();
    if constexpr (kTakesManager<M, F>) {
      auto call = call_as_result<F, M&>(body, held);
      result.emplace(co_await std::move(call));
    } else {
      auto call = call_as_result<F>(body);
      result.emplace(co_await std::move(call));
    }
  }
  const bool swallowed = co_await held.aexit(result->exception());
  if constexpr (std::is_void_v<Value>) {
    if (!swallowed) result->rethrow();
  } else {
    if (swallowed && !result->has_value()) throw_swallowed();
    co_return value_of_result(*std::move(result));
  }
}

template <class B, class C>
Coroutine<CallValue<B&>> run_try_finally(B body, C cleanup) {
  auto run_body = call_as_result<B>(body);
  auto result = co_await std::move(run_body);
  auto run_cleanup = call_as_result<C>(cleanup);
  auto cleaned = co_await std::move(run_cleanup);
  cleaned.rethrow();
  if constexpr (std::is_void_v<CallValue<B&>>) {
    result.rethrow();
  } else {
    co_return value_of_result(std::move(result));
  }
}

// A callable that gives a coroutine or another awaitable away, once.
template <class A>
auto as_callable(A&& a) {
  if constexpr (Awaitable<A>) {
    return [coroutine = to_coroutine(std::forward<A>(a))]() mutable {
      return std::move(coroutine);
    };
  } else {
    return std::decay_t<A>(std::forward<A>(a));
  }
}

}  // namespace internal

template <class M>
concept AsyncManager = requires(M& m, std::exception_ptr e) {
  m.aenter();
  m.aexit(e);
};

// RuntimeError where aexit() swallows the exception of a body that was to give a
// value.
template <class M, class F>
  requires AsyncManager<std::remove_reference_t<M>>
auto with(M&& manager, F body) {
  using Held = std::remove_reference_t<M>;
  static_assert(internal::kTakesEntered<Held, F> ||
                    internal::kTakesManager<Held, F> ||
                    std::is_invocable_v<F&>,
                "the body of with() takes what the manager gives, or the manager "
                "by reference, or nothing");
  return internal::run_with<
      std::conditional_t<std::is_lvalue_reference_v<M>, M,
                         std::remove_reference_t<M>>,
      F>(std::forward<M>(manager), std::move(body));
}

// Runs the body, then the cleanup on every way out. Both are callables or
// awaitables; what the cleanup throws replaces what the body threw.
template <class B, class C>
auto try_finally(B&& body, C&& cleanup) {
  auto b = internal::as_callable(std::forward<B>(body));
  auto c = internal::as_callable(std::forward<C>(cleanup));
  return internal::run_try_finally<decltype(b), decltype(c)>(std::move(b),
                                                             std::move(c));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_WITH_H_
