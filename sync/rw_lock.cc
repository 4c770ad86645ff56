#include "asyncio/sync/rw_lock.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

using internal::step_task;
using internal::WaitNode;

void RWLock::hand_on() {
  while (WaitNode* node = waiters_.next_waiting()) {
    const Access access =
        &node->kind() == &Writing::kKind ? Access::kWrite : Access::kRead;
    if (!admits(access)) return;
    if (waiters_.wake_next()) enter(access);
  }
}

void RWLock::fail_wait(RWLock* lock, Access access, const WaitNode& node) {
  if (step_task()->wait_cancelled()) {
    if (lock != nullptr) lock->pass_on(access, node);
    step_task()->check_cancelled();
  }
  internal::throw_destroyed(node.kind());
}

void RWLock::pass_on(Access access, const WaitNode& node) {
  if (node.woken()) {
    leave(access);
  } else {
    hand_on();  // this one may have been in the way
  }
}

void RWLock::throw_not_acquired(Access access) {
  throw RuntimeError(access == Access::kRead
                         ? "RWLock is not acquired for reading."
                         : "RWLock is not acquired for writing.");
}

}  // namespace asyncio
