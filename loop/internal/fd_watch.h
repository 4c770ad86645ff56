// FdWatch: the callables for one descriptor of a loop.
#ifndef ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_
#define ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_

#include <cstdint>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/poller.h"

namespace asyncio::internal {

class FdWatch final : public IoNode {
 public:
  using IoNode::IoNode;
  ~FdWatch() = default;

  Ref<CallbackNode> reader;
  Ref<CallbackNode> writer;
  // Taken out of the loop's table while queued or running: it deletes itself.
  bool orphaned = false;
  bool running = false;

  void run() override {
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
  void drop() noexcept override {
    if (orphaned) delete this;
  }

 private:
  static void call(int32_t wanted, const Ref<CallbackNode>& node) {
    if (wanted == 0 || !node) return;
    Ref<CallbackNode> share = node;
    share->call_guarded();
  }
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_
