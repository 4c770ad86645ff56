#include "asyncio/task/internal/foreign_awaiter.h"

#include <string_view>

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind ForeignWait::kKind = {
    1, "foreign awaitable", [](Waiter&, std::string_view) { return false; },
    nullptr,
    [](const Waiter& waiter) {
      return static_cast<const ForeignWait&>(waiter).queued();
    }};

ForeignWait::ForeignWait()
    : Waiter(kKind), frame_{&ForeignWait::resumed, nullptr, this} {}

void ForeignWait::begin(PromiseBase& promise) {
  resumed_ = &step_task()->leaf();
  step_task()->park(promise, *this);
}

void ForeignWait::undo() { step_task()->unpark(*resumed_); }

void ForeignWait::check_cancelled() { step_task()->check_cancelled(); }

void ForeignWait::resumed(void* frame) {
  ForeignWait& self = *static_cast<Frame*>(frame)->self;
  EventLoop& loop = *self.task()->loop();
  if (running_loop == &loop) {
    self.task()->wake();
  } else {
    LoopAccess::post(loop, self);
  }
}

void ForeignWait::run() { task()->wake(); }

}  // namespace asyncio::internal
