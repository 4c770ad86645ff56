// What `co_await x` works with: finding the awaiter of an awaitable, and its type.
#ifndef ASYNCIO_TASK_INTERNAL_AWAITER_OF_H_
#define ASYNCIO_TASK_INTERNAL_AWAITER_OF_H_

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

template <class W>
concept Awaiter = requires(W& w, std::coroutine_handle<> h) {
  w.await_ready() ? 1 : 0;
  w.await_resume();
};

template <class A>
concept HasMemberCoAwait = requires(A&& a) {
  std::forward<A>(a).operator co_await();
};
template <class A>
concept HasFreeCoAwait = requires(A&& a) {
  operator co_await(std::forward<A>(a));
};

template <class A>
concept HasAwaiter =
    HasMemberCoAwait<A> || HasFreeCoAwait<A> || Awaiter<std::remove_reference_t<A>>;

// The awaiter: a value where an operator makes one, else `a` itself.
template <class A>
decltype(auto) awaiter_of(A&& a) {
  if constexpr (HasMemberCoAwait<A>) {
    return std::forward<A>(a).operator co_await();
  } else if constexpr (HasFreeCoAwait<A>) {
    return operator co_await(std::forward<A>(a));
  } else {
    return std::forward<A>(a);
  }
}

template <class A>
using AwaiterOf = decltype(awaiter_of(std::declval<A>()));

template <class W>
class ForeignAwaiter;

// The same, adapted where it is none of this library's.
template <class A>
decltype(auto) library_awaiter(A&& a) {
  if constexpr (std::derived_from<std::remove_reference_t<AwaiterOf<A>>,
                                  LibraryAwaiter>) {
    return awaiter_of(std::forward<A>(a));
  } else {
    return ForeignAwaiter<AwaiterOf<A>>(std::forward<A>(a));
  }
}

// What `co_await x` gives for a type from elsewhere or an awaiter of ours.
template <class A>
using AwaitResume =
    decltype(std::declval<std::remove_reference_t<AwaiterOf<A>>&>()
                 .await_resume());

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_AWAITER_OF_H_
