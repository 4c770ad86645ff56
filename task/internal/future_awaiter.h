// FutureAwaiter: a task's wait for a future or for another task.
#ifndef ASYNCIO_TASK_INTERNAL_FUTURE_AWAITER_H_
#define ASYNCIO_TASK_INTERNAL_FUTURE_AWAITER_H_

#include <coroutine>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class FutureAwaiter : public LibraryAwaiter, public Waiter {
 public:
  // TypeError for a null handle.
  explicit FutureAwaiter(Ref<FutureCore> future)
      : future_(std::move(future)) {
    if (!future_) [[unlikely]] throw_null_handle();
    set_kind(kKind);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE ~FutureAwaiter() {
    if (link_.linked()) [[unlikely]] unlink();
  }

  bool await_ready() const { return future_->done(); }
  template <class P>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void await_suspend(
      std::coroutine_handle<P> caller) {
    TaskCore& task = *step_task();
    PromiseBase& promise = caller.promise();
    if (future_->loop() != task.loop() || future_.get() == &task)
        [[unlikely]] {
      refuse(promise);
    } else {
      future_->add_link(link_);
      task.park(promise, *this);
    }
  }

 protected:
  FutureCore& future() const { return *future_; }
  // How the wait ended: null where the future has a result and the task was not
  // cancelled.
  std::exception_ptr failure();
  // Throws it.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void finish_wait() {
    if (future_->state() != FutureCore::kFinished ||
        step_task()->wait_cancelled()) [[unlikely]] {
      throw_unless_plain();
      throw CancelledError();
    }
  }

 private:
  class Link final : public DoneLink {
    void on_done(FutureCore& future) noexcept override;
  };
  [[noreturn]] static void throw_null_handle();
  void unlink() noexcept;
  void refuse(PromiseBase& promise);
  // Throws it unless it is a cancellation that finish_wait() throws in line.
  void throw_unless_plain();

  static const WaiterKind kKind;
  Link link_;  // right behind the Waiter
  Ref<FutureCore> future_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FUTURE_AWAITER_H_
