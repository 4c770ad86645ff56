#include "asyncio/sync/internal/queue_core.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/resume_hook.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

constexpr WaiterKind kGetKind = WaitNode::kind_named("Queue.get");
constexpr WaiterKind kPutKind = WaitNode::kind_named("Queue.put");
constexpr WaiterKind kJoinKind = WaitNode::kind_named("Queue.join");

// What a task's stack shows for the wait.
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

QueueWait::QueueWait(QueueCore& queue, QueueSide side, PromiseBase& caller)
    : ResumeHook(&QueueWait::resumed, caller,
                 side == QueueSide::kGet ? get() : put()),
      queue_(queue),
      side_(side),
      node_(side == QueueSide::kGet ? kGetKind : kPutKind) {
  queue.line(side).park(node_, promise());
}

bool QueueWait::resumed(ResumeHook& hook) {
  QueueWait& wait = static_cast<QueueWait&>(hook);
  WaitNode& node = wait.node_;
  if (!node.leave()) [[unlikely]] {
    wait.gone_ = true;
    return true;
  }
  QueueCore& queue = wait.queue_;
  WaitQueue& line = queue.line(wait.side_);
  if (step.task->wait_cancelled()) [[unlikely]] {
    // It was chosen and cannot go: the next one can.
    const bool possible =
        wait.side_ == QueueSide::kGet ? !queue.empty() : !queue.full();
    if (possible && node.woken()) line.wake_next();
    return true;
  }
  if (!queue.blocked(wait.side_)) return true;
  line.park(node, wait.promise());
  return false;
}

void QueueWait::finish() {
  step.task->check_cancelled();
  if (gone_) throw_destroyed(node_.kind());
}

bool JoinAwaiter::await_ready() {
  if (queue_.unfinished_ == 0) return true;
  queue_.join_binding_.check("Queue");
  return false;
}

void JoinAwaiter::suspend(PromiseBase& caller) {
  node_.emplace(kJoinKind);
  queue_.joiners_.park(*node_, caller);
}

void JoinAwaiter::await_resume() {
  if (!node_) return;
  node_->leave();
  step.task->check_cancelled();
}

}  // namespace asyncio::internal
