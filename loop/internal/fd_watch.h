// FdWatch: the callables for one descriptor of a loop.
#ifndef ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_
#define ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_

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

  void run() override;
  void drop() noexcept override;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_FD_WATCH_H_
