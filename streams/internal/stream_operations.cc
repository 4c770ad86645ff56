#include "asyncio/streams/internal/stream_operations.h"

#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/sleep.h"

namespace asyncio::internal {

void ReadUntilAwaiter::check_separators() const {
  if (separators->size() == 0) {
    throw ValueError("Separator should contain at least one element");
  }
  if ((*separators)[0].empty()) {
    throw ValueError("Separator should be at least one-byte string");
  }
}

const WaiterKind DrainAwaiter::kKind =
    WaitNode::kind_named("StreamWriter.drain");
const WaiterKind WaitClosedAwaiter::kKind =
    WaitNode::kind_named("StreamWriter.wait_closed");

namespace {

// Before a wait in a stream that is not lost: its loop is there.
void check_loop(const Stream& stream) {
  if (step_task()->loop() != &stream.loop()) {
    throw_other_loop("StreamWriter", &stream);
  }
}

class YieldedDrainAwaiter final : public DrainAwaiter {
 public:
  explicit YieldedDrainAwaiter(Stream& stream)
      : DrainAwaiter(stream, /*yielded=*/true) {}
};

// Lets a loss that is on its way come first, so that a loop of write() and
// drain() on a broken connection ends.
Coroutine<> drain_closing(StreamUse stream) {
  co_await sleep(std::chrono::seconds(0));
  if (stream->lost()) throw ConnectionResetError("Connection lost");
  if (!stream->writing_paused()) co_return;
  co_await StreamRequest<YieldedDrainAwaiter>(stream.get());
}

}  // namespace

bool DrainAwaiter::begin_closing() {
  if (const std::exception_ptr& e = stream_.buffer().exception()) {
    std::rethrow_exception(e);
  }
  ::new (&closing_)
      CoroutineAwaiter<void>(drain_closing(StreamUse(&stream_)).release());
  wait_ = kClosing;
  return closing_.await_ready();
}

void DrainAwaiter::park(PromiseBase& promise) {
  check_loop(stream_);
  ::new (&node_) WaitNode();
  wait_ = kParked;
  stream_.drain_waiters().park(node_, kKind, promise);
}

void DrainAwaiter::finish() {
  if (wait_ == kClosing) {
    closing_.await_resume();
  } else {
    node_.leave();
    step_task()->check_cancelled();
    if (const std::exception_ptr& e = stream_.lost_error()) {
      std::rethrow_exception(e);
    }
  }
  end_wait();
}

void DrainAwaiter::end_wait() noexcept {
  if (std::exchange(wait_, kNone) == kParked) {
    node_.~WaitNode();
  } else {
    closing_.~CoroutineAwaiter();
  }
}

void WaitClosedAwaiter::park(PromiseBase& promise) {
  check_loop(stream_);
  stream_.closed_waiters().park(node_, kKind, promise);
}

void WaitClosedAwaiter::await_resume() {
  if (node_.waits()) {
    node_.leave();
    step_task()->check_cancelled();
  }
  if (const std::exception_ptr& e = stream_.lost_error()) {
    std::rethrow_exception(e);
  }
}

}  // namespace asyncio::internal
