#include "asyncio/task/with.h"

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void throw_swallowed() {
  throw RuntimeError(
      "aexit() swallowed the exception of a body that was to give a value");
}

}  // namespace asyncio::internal
