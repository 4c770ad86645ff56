#include "asyncio/sync/internal/loop_binding.h"

#include <cstdio>
#include <string>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

void throw_other_loop(const char* name, const void* object) {
  char address[32];
  std::snprintf(address, sizeof address, "%p", object);
  throw RuntimeError("<" + std::string(name) + " object at " + address +
                     "> is bound to a different event loop");
}

void LoopBinding::bind(EventLoop& loop, const char* name) {
  if (loop_ != nullptr) throw_other_loop(name, this);
  LoopAccess::retain(loop);
  loop_ = &loop;
}

}  // namespace asyncio::internal
