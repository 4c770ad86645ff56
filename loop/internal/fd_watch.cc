#include "asyncio/loop/internal/fd_watch.h"

#include <cstdint>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/poller.h"

namespace asyncio::internal {
namespace {

void call(int32_t wanted, const Ref<CallbackNode>& node) {
  if (wanted == 0 || !node) return;
  Ref<CallbackNode> share = node;
  share->call_guarded();
}

}  // namespace

// Not in line: where the loop saw it, g++ would guess that each node is a watch.
void FdWatch::run() {
  const int32_t events = std::exchange(result, 0);
  running = true;
  struct End {
    FdWatch* watch;
    ~End() {
      watch->running = false;
      if (watch->orphaned) delete watch;
    }
  } end{this};
  call(events & kIoRead, reader);
  call(events & kIoWrite, writer);
}

void FdWatch::drop() noexcept {
  if (orphaned) delete this;
}

}  // namespace asyncio::internal
