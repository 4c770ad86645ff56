#include "asyncio/task/coroutine.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/internal/function_name.h"
#include "asyncio/task/internal/promise.h"

namespace asyncio::internal {
namespace {

bool debug_mode() {
  if (running_loop != nullptr) return running_loop->get_debug();
  const char* value = std::getenv("ASYNCIO_DEBUG");
  return value != nullptr && *value != '\0';
}

}  // namespace

void throw_reused_coroutine() {
  throw RuntimeError("cannot reuse already awaited coroutine");
}

void report_never_awaited(const PromiseBase& promise) noexcept {
  if (!debug_mode()) return;
  const std::source_location where = promise.where();
  std::fprintf(stderr,
               "%s:%u: RuntimeWarning: coroutine '%s' was never awaited\n",
               where.file_name(), static_cast<unsigned>(where.line()),
               function_name(where.function_name()).c_str());
}

}  // namespace asyncio::internal
