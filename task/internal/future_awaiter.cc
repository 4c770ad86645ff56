#include "asyncio/task/internal/future_awaiter.h"

#include <exception>
#include <string>
#include <string_view>

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/throw_again.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind FutureAwaiter::kKind = {
    1, "Future",
    [](Waiter& waiter, std::string_view message) {
      return static_cast<FutureAwaiter&>(waiter).future_->cancel(message);
    },
    [](const Waiter& waiter) -> ErasedFuture* {
      return static_cast<const FutureAwaiter&>(waiter).future_.get();
    }};

void FutureAwaiter::throw_null_handle() {
  throw TypeError("a null handle can't be used in 'co_await'");
}

// Python resumes the task with the error one turn later: so do finish_wait()'s
// checks.
void FutureAwaiter::refuse(PromiseBase& promise) {
  step_task()->yield(promise);
}

void FutureAwaiter::Link::on_done(FutureCore&) noexcept {
  static_assert(sizeof(FutureAwaiter) ==
                sizeof(Waiter) + sizeof(Link) + sizeof(Ref<FutureCore>));
  before(this).task()->wake();
}

std::exception_ptr FutureAwaiter::failure() {
  if (step_task()->take_cancelled()) [[unlikely]] {
    // The future has been looked at, whatever it ended with. Its own cancellation,
    // where that is what it was, has the text.
    std::exception_ptr outcome = future_->done() ? future_->outcome() : nullptr;
    if (exception_cast<CancelledError>(outcome) != nullptr) return outcome;
    return step_task()->make_cancelled_error();
  }
  if (!future_->done()) [[unlikely]] {
    if (future_.get() == step_task()) {
      return std::make_exception_ptr(RuntimeError(
          "Task cannot await on itself: " + step_task()->describe()));
    }
    return std::make_exception_ptr(
        RuntimeError("Task " + step_task()->describe() + " got Future " +
                     future_->describe() + " attached to a different loop"));
  }
  return future_->outcome();
}

void FutureAwaiter::throw_unless_plain() {
  internal::throw_unless_plain(failure());
}

void FutureAwaiter::unlink() noexcept { future_->remove_link(link_); }

}  // namespace asyncio::internal
