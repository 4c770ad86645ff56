#include "asyncio/task/ensure_future.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {

void check_future(const FutureCore* future, const EventLoop& loop) {
  if (future == nullptr) {
    throw TypeError(
        "An asyncio.Future, a coroutine or an awaitable is required, not a "
        "null "
        "handle");
  }
  if (future->loop() != &loop) {
    throw ValueError(
        "The future belongs to a different loop than the one specified as the "
        "loop argument");
  }
}

}  // namespace asyncio::internal
