#include "asyncio/task/wait_for.h"

#include <vector>

#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {

bool CancelAndWaitAwaiter::await_ready() {
  std::vector<FutureCore*> futures(1, &future_);
  prepare(futures);
  future_.cancel("");
  return false;
}

}  // namespace asyncio::internal
