#include "asyncio/sync/semaphore.h"

#include <cstddef>

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

const internal::WaiterKind Semaphore::kKind =
    internal::WaitNode::kind_named("Semaphore.acquire");

Semaphore::Semaphore(ptrdiff_t value, ptrdiff_t bound)
    : value_(value), bound_(bound) {
  if (value < 0) throw ValueError("Semaphore initial value must be >= 0");
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
