#include "asyncio/sync/rw_lock.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"

namespace asyncio {

using internal::WaitNode;

void RWLock::hand_on() {
  while (WaitNode* node = waiters_.next_waiting()) {
    const Access access =
        &node->kind() == &Writing::kKind ? Access::kWrite : Access::kRead;
    if (!admits(access)) return;
    if (waiters_.wake_next()) enter(access);
  }
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
