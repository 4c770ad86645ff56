// gather: runs awaitables at the same time and gives their results together.
//
//   auto [page, size] = co_await gather(fetch(url), measure(file));
//   std::vector<int> all = co_await gather(tasks);         // a range
//   auto results = co_await gather(return_exceptions, a(), b());
//   if (!std::get<0>(results)) log(std::get<0>(results).exception());
//
// It is a Future of a tuple, with std::monostate for what gives nothing, or, of
// a range, of a vector, without value where the elements have none. What is no
// future becomes a task. With `return_exceptions` each place holds a Result<T>.
//
// Order: results stand in the order of the arguments. The same future given
// twice fills both places.
// Errors: the first exception is passed on at once, a child's CancelledError
// included; the others go on, and what they throw is dropped. With
// `return_exceptions` all are waited for.
// Cancellation: cancelling the gather cancels every child, and it ends with
// CancelledError even where they refuse. Once it is done, cancelling it does
// nothing.
// Lifetime: tasks go on when the handle is dropped.
// Cost: one block for the arguments' futures, two for a range, besides the
// tasks. A result is copied where a handle of its task is left, else moved.
#ifndef ASYNCIO_TASK_GATHER_H_
#define ASYNCIO_TASK_GATHER_H_

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio {

// A first argument of gather().
struct ReturnExceptions {};
inline constexpr ReturnExceptions return_exceptions;

namespace internal {

class Gathering;

// One child of a gather().
class GatherLink final : public DoneCallback {
 public:
  const Ref<FutureCore>& child() const { return child_; }

  void run() override;
  void drop() noexcept override;
  void on_done(FutureCore& child) noexcept override;
  void on_abandoned() noexcept override;

 private:
  friend class Gathering;
  // Takes, and gives back, a share of the gather's future.
  void hold();
  void let_go();

  Gathering* owner_ = nullptr;
  Ref<FutureCore> child_;
  bool holds_ = false;
};

// What a gather's future does, whatever its type.
//
// Each unfinished task among the children holds a share of the future, so that
// the gather ends although nobody looks. A plain future would never be freed
// that way; there the gather holds the child alone, until its last handle goes:
// see orphan().
class Gathering {
 public:
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

 protected:
  // RuntimeError where another thread is running the loop.
  Gathering(FutureCore& outer, bool return_exceptions);
  ~Gathering() = default;

  // Makes `child` the next of the links. Of a task that nobody else knows of it
  // is not reported that it was destroyed pending.
  void add(Ref<FutureCore> child, bool own_task);
  // All are added: looks at those that were done then.
  void begin();
  // Not all could be added: those that were go on by themselves, and what they end
  // with is nobody's business.
  void give_up() { outer_.finish_cancelled(nullptr); }
  bool cancel_children(std::string_view message);
  // The last handle is gone: from now on the unfinished children hold the
  // gather and not the other way round.
  void orphan();

  virtual std::span<GatherLink> links() = 0;
  // Every child is done: sets the result. May throw.
  virtual void collect() = 0;

 private:
  friend class GatherLink;
  void child_done(FutureCore& child);
  // Every child is done.
  void end();
  // The same after a request to cancel.
  void end_cancelled();

  FutureCore& outer_;
  size_t added_ = 0;
  size_t finished_ = 0;
  const bool return_exceptions_;
  bool cancel_requested_ = false;
};

// The future: T is its value, `Derived` knows the children's types.
template <class T>
class GatherFuture : public FutureState<T>, protected Gathering {
 public:
  GatherFuture(EventLoop& loop, bool return_exceptions)
      : FutureState<T>(loop),
        Gathering(static_cast<FutureCore&>(*this), return_exceptions) {}

  bool cancel(std::string_view message) override {
    return !this->done() && this->cancel_children(message);
  }
  const char* class_name() const override { return "_GatheringFuture"; }

 protected:
  ~GatherFuture() override = default;
  void dispose() override {
    this->retain();
    this->orphan();
    if (--this->references_ == 0) FutureState<T>::dispose();
  }
};

// T where something is to be stored.
template <class T>
struct GatheredOf {
  using type = T;
};
template <>
struct GatheredOf<void> {
  using type = std::monostate;
};
template <class T>
struct GatheredOf<T&> {
  using type = std::reference_wrapper<T>;
};
template <class T, bool kResults>
using Gathered =
    typename std::conditional_t<kResults, std::type_identity<Result<T>>,
                                GatheredOf<T>>::type;

template <class T, bool kResults, bool kGiven>
Gathered<T, kResults> gathered(FutureCore& child) {
  if constexpr (kResults) {
    if (std::exception_ptr exception = child.outcome()) {
      return Result<T>(std::move(exception));
    }
    if constexpr (std::is_void_v<T>) {
      return Result<T>();
    } else {
      return Result<T>(take_value<T, kGiven>(child));
    }
  } else if constexpr (std::is_void_v<T>) {
    return std::monostate();
  } else {
    return take_value<T, kGiven>(child);
  }
}

template <class A>
constexpr bool kGivenAway = !std::is_lvalue_reference_v<A>;

template <bool kResults, class... As>
using GatherTuple = std::tuple<Gathered<FutureValue<As>, kResults>...>;

template <bool kResults, class... As>
class GatherTupleFuture final
    : public GatherFuture<GatherTuple<kResults, As...>> {
  using Value = GatherTuple<kResults, As...>;

 public:
  explicit GatherTupleFuture(EventLoop& loop)
      : GatherFuture<Value>(loop, kResults) {}

  void start(As&&... as) {
    try {
      (this->add(future_of(*this->loop(), std::forward<As>(as)),
                 !FutureHandle<As>),
       ...);
    } catch (...) {
      this->give_up();
      throw;
    }
    this->begin();
  }

 private:
  std::span<GatherLink> links() override { return links_; }
  void collect() override { collect(std::index_sequence_for<As...>()); }
  template <size_t... kIndex>
  void collect(std::index_sequence<kIndex...>) {
    this->emplace(gathered<FutureValue<As>, kResults, kGivenAway<As>>(
        *links_[kIndex].child())...);
  }

  std::array<GatherLink, sizeof...(As)> links_;
};

template <class T, bool kResults>
using GatherVector = std::conditional_t<std::is_void_v<T> && !kResults, void,
                                        std::vector<Gathered<T, kResults>>>;

template <class T, bool kResults, bool kGiven>
class GatherRangeFuture final : public GatherFuture<GatherVector<T, kResults>> {
 public:
  GatherRangeFuture(EventLoop& loop, size_t size)
      : GatherFuture<GatherVector<T, kResults>>(loop, kResults),
        links_(std::make_unique<GatherLink[]>(size)),
        size_(size) {}

  template <class R>
  void start(R&& range) {
    try {
      for (auto&& element : range) {
        this->add(future_of(*this->loop(), static_cast<ElementOf<R>&&>(element)),
                  !FutureHandle<ElementOf<R>>);
      }
    } catch (...) {
      this->give_up();
      throw;
    }
    this->begin();
  }

 private:
  std::span<GatherLink> links() override { return {links_.get(), size_}; }
  void collect() override {
    if constexpr (!std::is_void_v<T> || kResults) {
      std::vector<Gathered<T, kResults>> results;
      results.reserve(size_);
      for (const GatherLink& link : links()) {
        results.push_back(gathered<T, kResults, kGiven>(*link.child()));
      }
      this->emplace(std::move(results));
    }
  }

  std::unique_ptr<GatherLink[]> links_;
  size_t size_;
};

template <bool kResults, class... As>
auto gather_all(As&&... as) {
  EventLoop& loop = [&](const auto&... first) -> EventLoop& {
    if constexpr (sizeof...(first) == 0) {
      return get_running_loop();
    } else {
      return loop_of(std::get<0>(std::tie(first...)));
    }
  }(as...);
  auto* outer = new GatherTupleFuture<kResults, As...>(loop);
  Future<GatherTuple<kResults, As...>> future(Ref<FutureCore>::adopt(outer));
  outer->start(std::forward<As>(as)...);
  return future;
}

template <bool kResults, class R>
auto gather_range(R&& range) {
  using Element = ElementOf<R>;
  // A view may make its elements anew each time, so they are asked for once.
  if constexpr (std::ranges::forward_range<R> && std::is_reference_v<Element>) {
    using T = FutureValue<Element>;
    auto first = std::ranges::begin(range);
    EventLoop& loop =
        first == std::ranges::end(range) ? get_running_loop() : loop_of(*first);
    const auto size = static_cast<size_t>(std::ranges::distance(range));
    auto* outer =
        new GatherRangeFuture<T, kResults, kGivenAway<Element>>(loop, size);
    Future<GatherVector<T, kResults>> future(Ref<FutureCore>::adopt(outer));
    outer->start(std::forward<R>(range));
    return future;
  } else {
    std::vector<std::remove_cvref_t<Element>> elements;
    for (auto&& element : range) {
      elements.push_back(static_cast<Element&&>(element));
    }
    return gather_range<kResults>(std::move(elements));
  }
}

}  // namespace internal

// ValueError where one is a future of another loop than the first;
// RuntimeError("no running event loop") where a task is to be made and none
// runs.
template <Runnable... As>
auto gather(As&&... awaitables) {
  return internal::gather_all<false, As...>(std::forward<As>(awaitables)...);
}
template <internal::AwaitableRange R>
auto gather(R&& range) {
  return internal::gather_range<false>(std::forward<R>(range));
}
template <Runnable... As>
auto gather(ReturnExceptions, As&&... awaitables) {
  return internal::gather_all<true, As...>(std::forward<As>(awaitables)...);
}
template <internal::AwaitableRange R>
auto gather(ReturnExceptions, R&& range) {
  return internal::gather_range<true>(std::forward<R>(range));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_GATHER_H_
