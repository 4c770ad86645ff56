// select and race: the first of several that ends, and no other.
//
//   auto first = co_await select(jobs.get(), stop.wait());
//   if (first.index() == 1) co_return;
//   handle(first.get<0>());
//
//   std::string page = co_await race(fetch(mirror1), fetch(mirror2));   // one type
//   std::string page = co_await race(std::move(fetches));               // a range
//
// What is no future becomes a task. When the first ends, the others are
// cancelled and waited for before select() gives its result or throws what the
// first threw, its CancelledError included. A Task or Future that is given is
// cancelled as well, unless it is in shield().
//
// What one that lost would have taken is not lost: the others are cancelled in
// the very moment in which the first ends, before any of them can run, so a
// get() of a queue has its item only where it is the first. One that ignores the
// cancellation and gives a value all the same is seen by has<I>() and get<I>()
// (of race() it is dropped); if it throws, that is reported like the exception of
// any task that nobody fetches.
//
// Order: arguments start in their order; of those that were done before, the
// foremost is the first. It returns one turn of the loop after the last has
// ended.
// Cancellation: cancels all and waits for them. Where the first has ended by
// then, its result is given and the next await throws CancelledError.
// Errors: ValueError for a future of another loop, or an empty range.
// Cost: a frame and a block besides the tasks.
#ifndef ASYNCIO_TASK_SELECT_H_
#define ASYNCIO_TASK_SELECT_H_

#include <concepts>
#include <cstddef>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/select_core.h"

namespace asyncio {

// What select() gives: which was the first, and its value.
template <class... Ts>
class [[nodiscard]] SelectResult {
  template <size_t kIndex>
  using Value = std::tuple_element_t<kIndex, std::tuple<Ts...>>;

 public:
  using Values = std::tuple<std::optional<internal::Gathered<Ts, false>>...>;

  SelectResult(size_t index, Values values)
      : index_(index), values_(std::move(values)) {}

  // The place of the first among the arguments.
  size_t index() const { return index_; }
  // Whether there is a value of that place: the first's, or that of one that
  // ended well although it was cancelled.
  template <size_t kIndex>
  bool has() const {
    return std::get<kIndex>(values_).has_value();
  }
  // LookupError where there is none. It is moved out of a result that is given
  // away.
  template <size_t kIndex>
  std::add_lvalue_reference_t<Value<kIndex>> get() & {
    if (!has<kIndex>()) throw LookupError("another one was the first");
    if constexpr (!std::is_void_v<Value<kIndex>>) {
      return *std::get<kIndex>(values_);
    }
  }
  template <size_t kIndex>
  Value<kIndex> get() && {
    if constexpr (std::is_object_v<Value<kIndex>>) {
      return std::move(this->template get<kIndex>());
    } else {
      return this->template get<kIndex>();
    }
  }

 private:
  size_t index_;
  Values values_;
};

namespace internal {

// The value of one that ended well, where something is to be stored; does not
// look at what another threw.
template <class A>
void take_selected(FutureCore& future,
                   std::optional<Gathered<FutureValue<A>, false>>& value) {
  if (future.state() != FutureCore::State::kFinished) return;
  value.emplace(gathered<FutureValue<A>, false, kGivenAway<A>>(future));
}

template <class... As, size_t... kIndex>
void take_all_selected(
    SelectCore& core, std::index_sequence<kIndex...>,
    typename SelectResult<FutureValue<As>...>::Values& values) {
  (take_selected<As>(core.future(kIndex), std::get<kIndex>(values)), ...);
}

template <class Add>
void add_selected(SelectCore& core, Add add) {
  try {
    add();
  } catch (...) {
    core.give_up();
    throw;
  }
}

template <class... As>
Coroutine<SelectResult<FutureValue<As>...>> run_select(
    std::decay_t<As>... awaitables) {
  SelectCore core(sizeof...(As));
  EventLoop& loop = get_running_loop();
  add_selected(core,
               [&] { (core.add(future_of(loop, std::move(awaitables))), ...); });
  co_await SelectAwaiter(core);
  typename SelectResult<FutureValue<As>...>::Values values;
  take_all_selected<As...>(core, std::index_sequence_for<As...>(), values);
  co_return SelectResult<FutureValue<As>...>(core.winner(), std::move(values));
}

template <class T, bool kGiven, class A>
Coroutine<T> run_race(std::vector<A> awaitables) {
  if (awaitables.empty()) throw ValueError("race() of nothing");
  SelectCore core(awaitables.size());
  EventLoop& loop = get_running_loop();
  add_selected(core, [&] {
    for (A& awaitable : awaitables) {
      core.add(future_of(loop, std::move(awaitable)));
    }
  });
  // Of a share that is left behind the value would have to be copied.
  awaitables.clear();
  co_await SelectAwaiter(core);
  co_return take_value<T, kGiven>(core.future(core.winner()));
}

template <class T, class... As>
Coroutine<T> run_race(std::decay_t<As>... awaitables) {
  SelectCore core(sizeof...(As));
  EventLoop& loop = get_running_loop();
  add_selected(core,
               [&] { (core.add(future_of(loop, std::move(awaitables))), ...); });
  co_await SelectAwaiter(core);
  co_return take_value<T, (kGivenAway<As> && ...)>(core.future(core.winner()));
}

}  // namespace internal

template <Runnable... As>
  requires(sizeof...(As) > 0)
auto select(As&&... awaitables) {
  return internal::run_select<As...>(std::forward<As>(awaitables)...);
}

// -> the value of the first. All have values of one type.
template <Runnable A, Runnable... As>
auto race(A&& first, As&&... others) {
  using T = internal::FutureValue<A>;
  static_assert((std::same_as<T, internal::FutureValue<As>> && ...),
                "those that race give values of one type; else take select()");
  return internal::run_race<T, A, As...>(std::forward<A>(first),
                                         std::forward<As>(others)...);
}
template <internal::AwaitableRange R>
auto race(R&& range) {
  using Element = internal::ElementOf<R>;
  std::vector<std::remove_cvref_t<Element>> awaitables;
  for (auto&& element : range) {
    awaitables.push_back(static_cast<Element&&>(element));
  }
  return internal::run_race<internal::FutureValue<Element>,
                            internal::kGivenAway<Element>>(
      std::move(awaitables));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_SELECT_H_
