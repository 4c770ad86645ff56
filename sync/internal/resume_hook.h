// ResumeHook: code of the library that a task's step runs in the place of its
// innermost frame, when its wait has ended. It may let the task wait again,
// before any code of the user's runs.
//
// That is how a task whose item was taken by another goes back to the end of
// the line: an awaiter cannot suspend its frame twice in one co_await. To the
// task it is a frame like any other.
//
// Cost: no allocation; it lives in the awaiting frame.
#ifndef ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_
#define ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_

#include "asyncio/task/internal/frame_hook.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio::internal {

class ResumeHook : public FrameHook {
 protected:
  // Whether the caller's frame is to go on. Otherwise the task was parked
  // again, with promise() for its frame.
  using Resumed = bool (*)(ResumeHook& hook);

  // Between `caller`, which suspends, and the task.
  ResumeHook(Resumed resumed, PromiseBase& caller, SourceLocation where)
      : FrameHook(&ResumeHook::resume, where), resumed_(resumed) {
    promise().set_caller(&caller);
  }
  ~ResumeHook() = default;

 private:
  static void resume(FrameHook* frame) {
    ResumeHook& hook = *static_cast<ResumeHook*>(frame);
    if (hook.resumed_(hook)) step.task->resume_instead(*hook.promise().caller());
  }

  Resumed const resumed_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_
