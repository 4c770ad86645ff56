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

template <>
constinit const WaiterKind GetWait::kKind = WaitNode::kind_named("Queue.get");
template <>
constinit const WaiterKind PutWait::kKind = WaitNode::kind_named("Queue.put");
template <>
constinit const SourceLocation GetWait::kPlace = get();
template <>
constinit const SourceLocation PutWait::kPlace = put();

// In the place of the frame, before any code of the user's.
template <QueueSide kSide>
void QueueWait<kSide>::resumed(FrameHook* hook) {
  QueueWait& wait = *static_cast<QueueWait*>(hook);
  if (!wait.node_.leave_woken()) [[unlikely]] {
    wait.failed_ = true;
    if (wait.node_.leave()) wait.pass_on();
  } else if (wait.queue_.blocked(kSide)) [[unlikely]] {
    wait.queue_.line(kSide).park(wait.node_, kKind, wait.promise());
    return;
  }
  step_task()->resume_instead(*wait.promise().caller());
}

// It was chosen and cannot go: the next one can.
template <QueueSide kSide>
void QueueWait<kSide>::pass_on() {
  const bool possible =
      kSide == QueueSide::kGet ? !queue_.empty() : !queue_.full();
  if (possible && node_.woken()) queue_.line(kSide).wake_next();
}

// The frame is destroyed in the wait.
template <QueueSide kSide>
void QueueWait<kSide>::give_up() noexcept {
  if (node_.leave()) pass_on();
}

template class QueueWait<QueueSide::kGet>;
template class QueueWait<QueueSide::kPut>;

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
