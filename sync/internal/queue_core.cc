#include "asyncio/sync/internal/queue_core.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

constexpr WaiterKind kJoinKind = WaitNode::kind_named("Queue.join");

constexpr SourceLocation get() { return ASYNCIO_INTERNAL_HERE; }
constexpr SourceLocation put() { return ASYNCIO_INTERNAL_HERE; }

}  // namespace

void QueueCore::task_done() {
  if (unfinished_ == 0) {
    throw ValueError("task_done() called too many times");
  }
  if (--unfinished_ == 0) joiners_.wake_all();
}

void QueueCore::dropped() {
  --size_;
  if (unfinished_ > 0) --unfinished_;
}

void QueueCore::wake_everybody() {
  if (unfinished_ == 0) joiners_.wake_all();
  getters_.wake_all();
  putters_.wake_all();
}

void QueueCore::refuse_put() const {
  if (shut_down_) throw QueueShutDown();
  throw QueueFull();
}

void QueueCore::refuse_get() const {
  if (shut_down_) throw QueueShutDown();
  throw QueueEmpty();
}

const WaiterKind QueueWait::kGetKind = WaitNode::kind_named("Queue.get");
const WaiterKind QueueWait::kPutKind = WaitNode::kind_named("Queue.put");
const SourceLocation QueueWait::kGetPlace = get();
const SourceLocation QueueWait::kPutPlace = put();

// In the place of the frame, before any code of the user's.
void QueueWait::resumed(FrameHook* hook) {
  QueueWait& wait = *static_cast<QueueWait*>(hook);
  if (!wait.node_.leave_woken()) [[unlikely]] {
    if (wait.node_.leave()) {
      wait.pass_on();
    } else {
      wait.gone_ = true;
    }
  } else if (wait.queue_.blocked(wait.side_)) [[unlikely]] {
    wait.queue_.line(wait.side_).park(wait.node_, kind(wait.side_),
                                      wait.promise());
    return;
  }
  step_task()->resume_instead(*wait.promise().caller());
}

// It was chosen and cannot go: the next one can.
void QueueWait::pass_on() {
  const bool possible =
      side_ == QueueSide::kGet ? !queue_.empty() : !queue_.full();
  if (possible && node_.woken()) queue_.line(side_).wake_next();
}

// The frame is destroyed in the wait.
void QueueWait::give_up() noexcept {
  if (node_.leave()) pass_on();
}

bool JoinAwaiter::await_ready() {
  if (queue_.unfinished_ == 0) return true;
  queue_.join_binding_.check("Queue");
  return false;
}

void JoinAwaiter::suspend(PromiseBase& caller) {
  queue_.joiners_.park(node_, kJoinKind, caller);
}

void JoinAwaiter::await_resume() {
  if (!node_.waits()) return;
  node_.leave();
  step_task()->check_cancelled();
}

}  // namespace asyncio::internal
