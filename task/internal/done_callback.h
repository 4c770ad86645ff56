// DoneCallback: a done callback of the library's own. As a user's, it has its
// turn one turn of the loop after the future is done; unlike it, it lives in
// its owner and allocates nothing.
#ifndef ASYNCIO_TASK_INTERNAL_DONE_CALLBACK_H_
#define ASYNCIO_TASK_INTERNAL_DONE_CALLBACK_H_

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {

// run() is the callback. Whoever destroys one has made sure that it is neither
// linked nor queued.
class DoneCallback : public DoneLink, public ReadyNode {
 public:
  // Once for each time that the callback is to run.
  void attach(FutureCore& future) {
    if (future.done()) {
      on_done(future);
    } else {
      future.add_link(*this);
    }
  }

  // Of a future whose loop is gone it never runs: it is dropped then.
  void on_done(FutureCore& future) noexcept override {
    LoopAccess::push_or_drop(*future.loop(), *this);
  }
  void drop() noexcept override {}

 protected:
  ~DoneCallback() = default;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_DONE_CALLBACK_H_
