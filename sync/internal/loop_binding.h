// LoopBinding: a primitive belongs to the first loop that has to wait in it.
#ifndef ASYNCIO_SYNC_INTERNAL_LOOP_BINDING_H_
#define ASYNCIO_SYNC_INTERNAL_LOOP_BINDING_H_

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio::internal {

// RuntimeError("<Lock object at 0x7f..> is bound to a different event loop").
[[noreturn]] void throw_other_loop(const char* name, const void* object);

class LoopBinding {
 public:
  LoopBinding() = default;
  LoopBinding(const LoopBinding&) = delete;
  LoopBinding& operator=(const LoopBinding&) = delete;
  ~LoopBinding() {
    if (loop_ != nullptr) LoopAccess::release(*loop_);
  }

  // Binds to the current task's loop. RuntimeError where it is bound to
  // another.
  void check(const char* name) {
    EventLoop* const loop = step_task()->loop();
    if (loop_ != loop) [[unlikely]] bind(*loop, name);
  }

 private:
  void bind(EventLoop& loop, const char* name);

  // Its bytes are kept, so that no later loop is taken for it.
  EventLoop* loop_ = nullptr;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_LOOP_BINDING_H_
