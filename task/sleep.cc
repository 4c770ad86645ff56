#include "asyncio/task/sleep.h"

#include <new>
#include <string_view>

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// The timer goes at once: the awaiter ends in the step to come, and must not be on
// its way through the ready queue by then.
const WaiterKind SleepAwaiter::kKind = {
    1, "sleep",
    [](Waiter& waiter, std::string_view message) {
      auto& sleep = static_cast<SleepAwaiter&>(waiter);
      LoopAccess::disarm(*sleep.task()->loop(), sleep.timer_);
      return sleep.task()->cancel_wait(message);
    },
    nullptr,
    [](const Waiter& waiter) {
      return static_cast<const SleepAwaiter&>(waiter).timer_.queued();
    }};

void SleepAwaiter::suspend(PromiseBase& promise) {
  TaskCore& task = *step_task();
  EventLoop& loop = *task.loop();
  set_kind(kKind);
  const Duration delay = -before_;
  ::new (&timer_) Timer();
  if (!delay.is_infinite()) LoopAccess::arm(loop, timer_, loop.time() + delay);
  task.park(promise, *this);
}

void SleepAwaiter::Timer::run() {
  static_assert(sizeof(SleepAwaiter) == sizeof(Waiter) + sizeof(Timer));
  before(this).task()->wake();
}

}  // namespace asyncio::internal
