// wait: waits for several tasks or futures, without touching them.
//
//   auto [done, pending] = co_await wait(tasks, {.timeout = 1s});
//   for (const Task<int>& task : done) use(task.result());
//   for (const Task<int>& task : pending) task.cancel();
//
//   co_await wait({reader, writer}, {.return_when = FIRST_COMPLETED});
//
// `done` and `pending` are in the order of the arguments, without duplicates.
// It throws nothing of what is waited for, and no TimeoutError. Futures of one
// type are a range; a list of mixed ones gives AnyFutures.
//
// Order: it returns two turns of the loop after the future that decides is
// done; what is done by then is in `done`.
// Cancellation: of the wait ends the wait alone.
// Errors: ValueError where there is nothing to wait for, or for a future of
// another loop.
// Cost: one block; linear in the number of futures.
#ifndef ASYNCIO_TASK_WAIT_H_
#define ASYNCIO_TASK_WAIT_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

enum class ReturnWhen : uint8_t {
  kFirstCompleted,
  kFirstException,
  kAllCompleted,
};
// One is done, in whatever way.
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::kFirstCompleted;
// One has failed, or all are done. A cancelled one has not failed.
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::kFirstException;
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::kAllCompleted;

struct WaitOptions {
  std::optional<Duration> timeout = {};  // empty: no limit
  ReturnWhen return_when = ALL_COMPLETED;
};

template <class F>
class WaitResult {
 public:
  WaitResult() = default;
  WaitResult(std::vector<F> done, std::vector<F> pending)
      : done(std::move(done)), pending(std::move(pending)) {}

  std::vector<F> done;
  std::vector<F> pending;
};

// Tasks and futures of any types: `{a, b}`.
class TaskList {
 public:
  TaskList() = default;
  template <internal::FutureHandle... Fs>
  requires(sizeof...(Fs) > 0 &&
           !(sizeof...(Fs) == 1 &&
             (std::is_same_v<std::remove_cvref_t<Fs>, TaskList> && ...)))
      TaskList(Fs&&... futures) {  // NOLINT: implicit, for braces
    futures_.reserve(sizeof...(Fs));
    (futures_.push_back(AnyFuture(futures)), ...);
  }

  const std::vector<AnyFuture>& futures() const { return futures_; }

 private:
  std::vector<AnyFuture> futures_;
};

namespace internal {

class WaitBase;

// Replaces each later duplicate by null.
void clear_duplicates(std::vector<FutureCore*>& futures);

// One of the futures that are waited for.
class WaitLink final : public DoneCallback {
 public:
  void run() override;
  void on_done(FutureCore& future) noexcept override;

 private:
  friend class WaitBase;
  WaitBase* wait_ = nullptr;
  FutureCore* future_ = nullptr;
};

// The wait of one task. When it ends, links that are queued by then run before the
// task does, and those that are left are taken out by the task, or are not queued
// any more. So all of it can live in the awaiting frame.
class WaitBase : public LibraryAwaiter, public Waiter, private LoopTimer {
 public:
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }

 protected:
  explicit WaitBase(const WaitOptions& options)
      : Waiter(kKind), options_(options) {}
  ~WaitBase();

  // What suspend() is to wait for; they stay while it does. Later duplicates
  // are cleared.
  void prepare(std::vector<FutureCore*>& futures);
  void suspend(PromiseBase& promise);
  // Throws where the wait was cancelled.
  void finish_wait();

 private:
  friend class WaitLink;
  void completed(FutureCore& future);
  bool ends_with(FutureCore& future);
  void finish();
  void disarm();
  void stop();
  bool any_queued() const;
  // The time limit.
  void run() override;
  void drop() noexcept override {}

  static const WaiterKind kKind;
  const WaitOptions options_;
  std::unique_ptr<WaitLink[]> links_;
  size_t size_ = 0;
  size_t left_ = 0;
};

template <class F>
class WaitAwaiter final : public WaitBase {
 public:
  WaitAwaiter(std::vector<F> futures, const WaitOptions& options)
      : WaitBase(options), futures_(std::move(futures)) {}

  bool await_ready() {
    std::vector<FutureCore*> cores;
    cores.reserve(futures_.size());
    for (const F& future : futures_) {
      cores.push_back(static_cast<FutureCore*>(future.erased()));
    }
    prepare(cores);
    size_t i = 0;
    std::erase_if(futures_, [&](const F&) { return cores[i++] == nullptr; });
    return false;
  }
  WaitResult<F> await_resume() {
    finish_wait();
    WaitResult<F> result;
    for (F& future : futures_) {
      auto& list = future.done() ? result.done : result.pending;
      list.push_back(std::move(future));
    }
    return result;
  }

 private:
  std::vector<F> futures_;
};

}  // namespace internal

// What wait() gives.
template <class F>
class [[nodiscard]] Wait {
 public:
  Wait(std::vector<F> futures, const WaitOptions& options)
      : futures_(std::move(futures)), options_(options) {}

  internal::WaitAwaiter<F> operator co_await() const& {
    return internal::WaitAwaiter<F>(futures_, options_);
  }
  internal::WaitAwaiter<F> operator co_await() && {
    return internal::WaitAwaiter<F>(std::move(futures_), options_);
  }

 private:
  std::vector<F> futures_;
  WaitOptions options_;
};

template <internal::FutureRange R>
auto wait(R&& range, WaitOptions options = {}) {
  std::vector<std::remove_cvref_t<std::ranges::range_reference_t<R>>> futures;
  if constexpr (std::ranges::sized_range<R>) {
    futures.reserve(std::ranges::size(range));
  }
  for (auto&& element : range) {
    futures.push_back(static_cast<internal::ElementOf<R>&&>(element));
  }
  return Wait(std::move(futures), options);
}
inline Wait<AnyFuture> wait(TaskList list, WaitOptions options = {}) {
  return Wait<AnyFuture>(list.futures(), options);
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_WAIT_H_
