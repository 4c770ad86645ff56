#include "asyncio/task/future.h"

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void throw_null_exception() {
  throw TypeError("set_exception() needs an exception, not a null pointer");
}

}  // namespace asyncio::internal
