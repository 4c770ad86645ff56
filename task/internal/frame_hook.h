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
  // Of one kind of hooks: a static of it, from which a hook is made by one copy.
  class Functions {
   public:
    explicit constexpr Functions(Resume resume) : resume_(resume) {}

   private:
    // Whoever the hook is part of owns it.
    static void destroy(FrameHook*) {}

    [[maybe_unused]] Resume resume_;
    [[maybe_unused]] Resume destroy_ = &Functions::destroy;
  };

  FrameHook(const FrameHook&) = delete;
  FrameHook& operator=(const FrameHook&) = delete;

  // What stands for it in a chain of awaits.
  PromiseBase& promise() { return promise_; }

 protected:
  constexpr FrameHook(const Functions& functions, SourceLocation where)
      : functions_(functions), promise_(where) {}
  ~FrameHook() = default;

 private:
  class Promise final : public PromiseBase {
   public:
    using PromiseBase::PromiseBase;
  };

  [[maybe_unused]] const Functions functions_;
  Promise promise_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FRAME_HOOK_H_
