#include "asyncio/sync/internal/loop_binding.h"

#include <cstdio>
#include <string>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

void LoopBinding::bind(EventLoop& loop, const char* name) {
  if (loop_ != nullptr) {
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<void*>(this));
    throw RuntimeError("<" + std::string(name) + " object at " + address +
                       "> is bound to a different event loop");
  }
  LoopAccess::retain(loop);
  loop_ = &loop;
}

}  // namespace asyncio::internal
