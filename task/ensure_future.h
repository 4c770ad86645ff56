// ensure_future: a future of whatever can be awaited.
//
//   Future<int> answer = ensure_future(fetch());   // a new task
//   Future<int> same = ensure_future(answer);      // the very same future
//
// A Future or Task comes back as it is; anything else that can be run becomes a
// task of the running loop, as by create_task().
#ifndef ASYNCIO_TASK_ENSURE_FUTURE_H_
#define ASYNCIO_TASK_ENSURE_FUTURE_H_

#include <concepts>
#include <ranges>
#include <type_traits>
#include <utility>

#include "asyncio/base/any_future.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/task.h"

namespace asyncio {

namespace internal {

template <class A>
concept AnyFutureHandle = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;
template <class A>
concept FutureHandle =
    IsFuture<std::remove_cvref_t<A>>::value || AnyFutureHandle<A>;

// What awaiting the future of an `A` gives.
template <class A>
struct FutureValueOf {
  using type = RunValue<A>;
};
template <FutureHandle A>
struct FutureValueOf<A> {
  using type = typename std::remove_cvref_t<A>::value_type;
};
template <AnyFutureHandle A>
struct FutureValueOf<A> {
  using type = void;
};
template <class A>
using FutureValue = typename FutureValueOf<A>::type;

// The element of a range, as it is to be passed on: moved out of a range that
// is given away and owns its elements.
template <class R>
using ElementOf = std::conditional_t<
    std::is_lvalue_reference_v<R> ||
        std::ranges::view<std::remove_cvref_t<R>> ||
        !std::is_lvalue_reference_v<std::ranges::range_reference_t<R>>,
    std::ranges::range_reference_t<R>,
    std::remove_reference_t<std::ranges::range_reference_t<R>>&&>;

template <class R>
concept AwaitableRange =
    std::ranges::input_range<R> && !Runnable<R> && Runnable<ElementOf<R>>;
template <class R>
concept FutureRange =
    AwaitableRange<R> && FutureHandle<std::ranges::range_reference_t<R>>;

// Of a handle that is given away, the share goes along.
template <FutureHandle A>
Ref<FutureCore> core_of(A&& handle) {
  const std::remove_cvref_t<A> held(std::forward<A>(handle));
  return Ref<FutureCore>(static_cast<FutureCore*>(held.erased()));
}

// TypeError for a null handle, ValueError for a future of another loop.
void check_future(const FutureCore* future, const EventLoop& loop);

// The future itself, or a new task of `loop`.
template <class A>
Ref<FutureCore> future_of(EventLoop& loop, A&& a) {
  if constexpr (FutureHandle<A>) {
    Ref<FutureCore> core = core_of(std::forward<A>(a));
    check_future(core.get(), loop);
    return core;
  } else {
    return start_task(loop, to_coroutine(std::forward<A>(a)), TaskOptions());
  }
}

// The loop of a first argument: its own, or the running one.
template <class A>
EventLoop& loop_of(const A& a) {
  if constexpr (FutureHandle<A>) {
    if (a) return a.get_loop();
  }
  return get_running_loop();
}

// The value of a future that is done, for somebody who holds a share of it:
// copied where others may still look at it, else moved. What cannot be copied
// is moved, where its handle was given away.
template <class T, bool kGiven>
T take_value(FutureCore& core) {
  if constexpr (std::is_void_v<T>) {
    return;
  } else if constexpr (std::is_reference_v<T>) {
    return value_of<T>(core);
  } else if constexpr (kCopyable<T>) {
    T& value = value_of<T>(core);
    if (core.shared()) return value;
    return std::move(value);
  } else {
    static_assert(kGiven,
                  "a result that cannot be copied is moved out of its future, "
                  "so give the handle away: std::move(task)");
    return std::move(value_of<T>(core));
  }
}

}  // namespace internal

// RuntimeError("no running event loop") where a task is to be made and no loop
// runs.
template <Runnable A>
auto ensure_future(A&& awaitable) {
  if constexpr (internal::AnyFutureHandle<A>) {
    return AnyFuture(std::forward<A>(awaitable));
  } else if constexpr (internal::FutureHandle<A>) {
    return Future<internal::FutureValue<A>>(std::forward<A>(awaitable));
  } else {
    return Future<internal::FutureValue<A>>(
        create_task(std::forward<A>(awaitable)));
  }
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_ENSURE_FUTURE_H_
