#include "asyncio/sync/event.h"

#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind EventAwaiter::kKind = WaitNode::kind_named("Event.wait");

}  // namespace asyncio::internal
