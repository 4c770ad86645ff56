#include "asyncio/sync/lock.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

const internal::WaiterKind Lock::kKind =
    internal::WaitNode::kind_named("Lock.acquire");

void Lock::give_up(Lock& lock, internal::WaitNode& node) noexcept {
  if (node.leave()) lock.pass_on();
}

void Lock::throw_not_acquired() { throw RuntimeError("Lock is not acquired."); }

}  // namespace asyncio
