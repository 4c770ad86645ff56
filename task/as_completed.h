// as_completed: gives tasks in the order in which they end.
//
//   for (auto it = as_completed(tasks, 10s); auto task = co_await it.next();) {
//     print(task->result());
//   }
//
// The elements of a range of tasks or futures come back as they are; what else
// can be run becomes tasks, at the call. next() gives a finished one, or
// nothing when all were given. The same one given twice comes once.
//
// Order: as they end; next() returns two turns of the loop after that, at once
// where one is waiting. Several tasks may call next(): they are served in turn.
// Errors: what a task threw is its own: see result(). After the deadline each
// next() gives what ended in time, then throws TimeoutError once for each that
// did not.
// Cancellation: of next() loses nothing, and touches no task. Stopping early
// leaves the tasks running; calling next() again goes on.
// Cost: two blocks; linear in the number of elements.
#ifndef ASYNCIO_TASK_AS_COMPLETED_H_
#define ASYNCIO_TASK_AS_COMPLETED_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"
#include "asyncio/task/task.h"

namespace asyncio {

namespace internal {

class Completions;

class CompletionLink final : public DoneCallback {
 public:
  void run() override;
  void drop() noexcept override;
  void on_done(FutureCore& future) noexcept override;

 private:
  friend class Completions;
  Completions* owner_ = nullptr;
  Ref<FutureCore> future_;
};

// A call of next(). While it waits it stands in a queue of those.
class CompletionAwaiter : public LibraryAwaiter, public Waiter {
 public:
  explicit CompletionAwaiter(Ref<Completions> completions);
  CompletionAwaiter(const CompletionAwaiter&) = delete;
  CompletionAwaiter& operator=(const CompletionAwaiter&) = delete;
  ~CompletionAwaiter();

  bool await_ready();
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }

 protected:
  // What next() is to give: null at the end. Throws TimeoutError where that is
  // it.
  Ref<FutureCore> take();

 private:
  friend class Completions;
  enum State : uint8_t {
    kIdle,
    kQueued,
    kServed,  // one of the elements is this one's: future_
    kEnd,     // there is none left
  };
  void suspend(PromiseBase& promise);
  void give_up();

  static const WaiterKind kKind;
  Ref<Completions> completions_;
  Ref<FutureCore> future_;  // null: out of time
  CompletionAwaiter* prev_ = nullptr;
  CompletionAwaiter* next_ = nullptr;
  State state_ = kIdle;
};

// The elements of one as_completed(), and the calls of next() that wait. It is
// held by its users and by the links that are on their way.
class Completions final : private LoopTimer {
 public:
  Completions(EventLoop& loop, std::vector<Ref<FutureCore>> futures,
              std::optional<Duration> timeout);

  void retain() { ++references_; }
  void release();

 private:
  friend class CompletionAwaiter;
  friend class CompletionLink;
  ~Completions();

  void completed(CompletionLink& link);
  void detach();
  // An element for the longest waiter, or for the list.
  void put(Ref<FutureCore> future);
  void put_back(Ref<FutureCore> future);
  bool serve(const Ref<FutureCore>& future);
  void enqueue(CompletionAwaiter& waiter);
  void dequeue(CompletionAwaiter& waiter);
  // The time is up.
  void run() override;
  void drop() noexcept override;

  EventLoop& loop_;
  std::unique_ptr<CompletionLink[]> links_;
  size_t size_ = 0;
  size_t todo_ = 0;       // not done
  size_t unclaimed_ = 0;  // not given, nor claimed by a waiting next()
  std::deque<Ref<FutureCore>> done_;  // not given; null: out of time
  CompletionAwaiter* first_waiter_ = nullptr;
  CompletionAwaiter* last_waiter_ = nullptr;
  size_t references_ = 1;
};

template <class E>
class NextCompletionAwaiter final : public CompletionAwaiter {
 public:
  using CompletionAwaiter::CompletionAwaiter;
  std::optional<E> await_resume() {
    Ref<FutureCore> future = take();
    if (!future) return std::nullopt;
    if constexpr (AnyFutureHandle<E>) {
      return E(Ref<ErasedFuture>(future.get()));
    } else {
      return E(std::move(future));
    }
  }
};

}  // namespace internal

// What as_completed() gives.
template <class E>
class AsCompleted {
 public:
  // What next() gives: to be awaited.
  class [[nodiscard]] Next {
   public:
    explicit Next(internal::Ref<internal::Completions> completions)
        : completions_(std::move(completions)) {}
    internal::NextCompletionAwaiter<E> operator co_await() const {
      return internal::NextCompletionAwaiter<E>(completions_);
    }

   private:
    internal::Ref<internal::Completions> completions_;
  };

  // The next that has ended, empty when all were given.
  Next next() & { return Next(completions_); }
  Next next() && = delete;

  // For the library.
  explicit AsCompleted(internal::Ref<internal::Completions> completions)
      : completions_(std::move(completions)) {}

 private:
  internal::Ref<internal::Completions> completions_;
};

// RuntimeError("no running event loop"); ValueError for a future of another
// loop.
template <internal::AwaitableRange R>
auto as_completed(R&& range, std::optional<Duration> timeout = {}) {
  using Element = internal::ElementOf<R>;
  EventLoop& loop = get_running_loop();
  std::vector<internal::Ref<internal::FutureCore>> futures;
  for (auto&& element : range) {
    futures.push_back(
        internal::future_of(loop, static_cast<Element&&>(element)));
  }
  auto completions = internal::Ref<internal::Completions>::adopt(
      new internal::Completions(loop, std::move(futures), timeout));
  if constexpr (internal::FutureHandle<Element>) {
    return AsCompleted<std::remove_cvref_t<Element>>(std::move(completions));
  } else {
    return AsCompleted<Task<internal::FutureValue<Element>>>(
        std::move(completions));
  }
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_AS_COMPLETED_H_
