#include "asyncio/task/future.h"

#include <string>

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void throw_null_exception() {
  throw TypeError("set_exception() needs an exception, not a null pointer");
}

void throw_task_result(const char* operation) {
  throw RuntimeError(std::string("Task does not support ") + operation +
                     " operation");
}

}  // namespace asyncio::internal
