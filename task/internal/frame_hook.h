// FrameHook: code of the library that a task's step resumes as if it were a frame.
//
// The first two words of a coroutine's frame are the functions that resume and
// destroy it, and the promise follows: so is a hook laid out.
#ifndef ASYNCIO_TASK_INTERNAL_FRAME_HOOK_H_
#define ASYNCIO_TASK_INTERNAL_FRAME_HOOK_H_

#include "asyncio/task/internal/promise.h"

namespace asyncio::internal {

class FrameHook {
 public:
  using Resume = void (*)(FrameHook* hook);

  FrameHook(const FrameHook&) = delete;
  FrameHook& operator=(const FrameHook&) = delete;

  // What stands for it in a chain of awaits.
  PromiseBase& promise() { return promise_; }

 protected:
  constexpr FrameHook(Resume resume, SourceLocation where)
      : resume_(resume), promise_(where) {}
  ~FrameHook() = default;

 private:
  class Promise final : public PromiseBase {
   public:
    using PromiseBase::PromiseBase;
  };

  // Whoever the hook is part of owns it.
  static void destroy(FrameHook*) {}

  [[maybe_unused]] Resume const resume_;
  [[maybe_unused]] Resume const destroy_ = &FrameHook::destroy;
  Promise promise_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FRAME_HOOK_H_
