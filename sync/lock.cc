#include "asyncio/sync/lock.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

using internal::step_task;

const internal::WaiterKind Lock::kKind =
    internal::WaitNode::kind_named("Lock.acquire");

// `lock` is not to be touched where leave() says that it is gone.
void Lock::fail_wait(Lock& lock, internal::WaitNode& node) {
  const bool alive = node.leave();
  if (step_task()->wait_cancelled()) {
    if (alive) lock.pass_on();
    step_task()->check_cancelled();
  }
  internal::throw_destroyed(kKind);
}

void Lock::give_up(Lock& lock, internal::WaitNode& node) noexcept {
  if (node.leave()) lock.pass_on();
}

void Lock::throw_not_acquired() { throw RuntimeError("Lock is not acquired."); }

}  // namespace asyncio
