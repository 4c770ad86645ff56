#include "asyncio/streams/internal/fd_ready.h"

#include <string_view>

#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind FdReadyAwaiter::kKind = {1, "FdReady", &FdReadyAwaiter::cancel,
                                          nullptr};

void FdReadyAwaiter::suspend(PromiseBase& promise) {
  LoopAccess::set_interest(loop_, *this, events_);
  step.task->park(promise, *this);
}

void FdReadyAwaiter::run() {
  result = 0;
  unwatch();
  task()->wake();
}

// A node that is due already has its turn before the task's.
bool FdReadyAwaiter::cancel(Waiter& waiter, std::string_view message) {
  FdReadyAwaiter& wait = static_cast<FdReadyAwaiter&>(waiter);
  if (!wait.task()->cancel_wait(message)) return false;
  wait.unwatch();
  return true;
}

void FdReadyAwaiter::unwatch() noexcept {
  if (interest == kIoNone) return;
  LoopAccess::set_interest(loop_, *this, kIoNone);
}

void FdReadyAwaiter::await_resume() { step.task->check_cancelled(); }

}  // namespace asyncio::internal
