// ResumeHook: code of the library that a task's step runs in the place of its
// innermost frame, when its wait has ended. It may let the task wait again,
// before any code of the user's runs.
//
// That is how a task whose item was taken by another goes back to the end of
// the line: an awaiter cannot suspend its frame twice in one co_await. To the
// task it is a frame like any other: the first two words of a coroutine's frame
// are the functions that resume and destroy it, and the promise follows.
//
// Cost: no allocation; it lives in the awaiting frame.
#ifndef ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_
#define ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_

#include "absl/base/macros.h"

#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"

namespace asyncio::internal {

class ResumeHook {
 public:
  ResumeHook(const ResumeHook&) = delete;
  ResumeHook& operator=(const ResumeHook&) = delete;

 protected:
  // Whether the caller's frame is to go on. Otherwise the task was parked
  // again, with leaf() for its frame.
  using Resumed = bool (*)(ResumeHook& hook);

  // Between `caller`, which suspends, and the task.
  ResumeHook(Resumed resumed, PromiseBase& caller, SourceLocation where)
      : promise_(where), resumed_(resumed) {
    promise_.set_caller(&caller);
    ABSL_ASSERT(leaf().frame().address() == this);
  }
  ~ResumeHook() = default;

  PromiseBase& leaf() { return promise_; }

 private:
  class Promise final : public PromiseBase {
   public:
    using PromiseBase::PromiseBase;
  };

  static void resume(ResumeHook* hook) {
    // The hook may be gone once its caller runs, which is later.
    if (hook->resumed_(*hook)) step.next = hook->promise_.caller();
  }
  // The caller's frame owns it.
  static void destroy(ResumeHook*) {}

  [[maybe_unused]] void (*const resume_)(ResumeHook*) = &ResumeHook::resume;
  [[maybe_unused]] void (*const destroy_)(ResumeHook*) = &ResumeHook::destroy;
  Promise promise_;
  Resumed const resumed_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_RESUME_HOOK_H_
