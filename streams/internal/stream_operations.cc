#include "asyncio/streams/internal/stream_operations.h"

#include <chrono>
#include <exception>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/sleep.h"

namespace asyncio::internal {

bool ReadAwaiter::check_exception() {
  if (const std::exception_ptr& e = stream_->buffer().exception()) {
    std::rethrow_exception(e);
  }
  return true;
}

void ReadUntilAwaiter::check_separators() const {
  if (separators_.size() == 0) {
    throw ValueError("Separator should contain at least one element");
  }
  if (separators_[0].empty()) {
    throw ValueError("Separator should be at least one-byte string");
  }
}

const WaiterKind DrainAwaiter::kKind =
    WaitNode::kind_named("StreamWriter.drain");
const WaiterKind WaitClosedAwaiter::kKind =
    WaitNode::kind_named("StreamWriter.wait_closed");

namespace {

class YieldedDrainAwaiter final : public DrainAwaiter {
 public:
  explicit YieldedDrainAwaiter(Ref<Stream> stream)
      : DrainAwaiter(std::move(stream), /*yielded=*/true) {}
};

// Lets a loss that is on its way come first, so that a loop of write() and
// drain() on a broken connection ends.
Coroutine<> drain_closing(Ref<Stream> stream) {
  co_await sleep(std::chrono::seconds(0));
  if (stream->lost()) throw ConnectionResetError("Connection lost");
  if (!stream->writing_paused()) co_return;
  co_await StreamRequest<YieldedDrainAwaiter>(std::move(stream));
}

}  // namespace

bool DrainAwaiter::begin_closing() {
  if (const std::exception_ptr& e = stream_->buffer().exception()) {
    std::rethrow_exception(e);
  }
  closing_.emplace(drain_closing(stream_).release());
  return closing_->await_ready();
}

void DrainAwaiter::park(PromiseBase& promise) {
  stream_->drain_waiters().park(node_, kKind, promise);
}

void DrainAwaiter::finish() {
  node_.leave();
  step.task->check_cancelled();
  if (const std::exception_ptr& e = stream_->lost_error()) {
    std::rethrow_exception(e);
  }
}

void WaitClosedAwaiter::await_resume() {
  if (node_.waits()) {
    node_.leave();
    step.task->check_cancelled();
  }
  if (const std::exception_ptr& e = stream_->lost_error()) {
    std::rethrow_exception(e);
  }
}

}  // namespace asyncio::internal
