#include "asyncio/task/sleep.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind SleepAwaiter::kKind = {1, "sleep", nullptr, nullptr};

void SleepAwaiter::suspend(PromiseBase& promise) {
  TaskCore& task = *step.task;
  EventLoop& loop = *task.loop();
  if (!delay_.is_infinite()) {
    LoopAccess::arm(loop, *this, loop.time() + delay_);
  }
  task.park(promise, *this);
}

void SleepAwaiter::run() { task()->wake(); }

}  // namespace asyncio::internal
