#include "asyncio/sync/semaphore.h"

#include <cstddef>

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

using internal::step_task;

const internal::WaiterKind Semaphore::kKind =
    internal::WaitNode::kind_named("Semaphore.acquire");

Semaphore::Semaphore(ptrdiff_t value, ptrdiff_t bound)
    : value_(value), bound_(bound) {
  if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
}

// `semaphore` is not to be touched where leave() says that it is gone.
void Semaphore::fail_wait(Semaphore& semaphore, internal::WaitNode& node) {
  const bool alive = node.leave();
  if (step_task()->wait_cancelled()) {
    if (alive) semaphore.pass_on(node);
    step_task()->check_cancelled();
  }
  internal::throw_destroyed(kKind);
}

void Semaphore::give_up(Semaphore& semaphore,
                        internal::WaitNode& node) noexcept {
  if (node.leave()) semaphore.pass_on(node);
}

void Semaphore::pass_on(const internal::WaitNode& node) {
  if (node.woken()) ++value_;  // the unit that it was handed
  hand_on();
}

void Semaphore::throw_too_many() {
  throw ValueError("BoundedSemaphore released too many times");
}

}  // namespace asyncio
