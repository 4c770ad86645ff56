#include "asyncio/task/wait.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind WaitBase::kKind = {
    1, "wait",
    [](Waiter& waiter, std::string_view message) {
      WaitBase& self = static_cast<WaitBase&>(waiter);
      self.disarm();
      return self.task()->cancel_wait(message);
    },
    nullptr,
    [](const Waiter& waiter) {
      return static_cast<const WaitBase&>(waiter).any_queued();
    }};

void clear_duplicates(std::vector<FutureCore*>& futures) {
  constexpr size_t kFew = 16;
  if (futures.size() <= kFew) {
    for (auto it = futures.begin(); it != futures.end(); ++it) {
      if (std::find(futures.begin(), it, *it) != it) *it = nullptr;
    }
    return;
  }
  absl::flat_hash_set<FutureCore*> seen;
  seen.reserve(futures.size());
  for (FutureCore*& future : futures) {
    if (!seen.insert(future).second) future = nullptr;
  }
}

WaitBase::~WaitBase() { stop(); }

bool WaitBase::any_queued() const {
  return queued() || std::any_of(links_.get(), links_.get() + size_,
                                 [](const WaitLink& link) {
                                   return link.queued();
                                 });
}

void WaitBase::prepare(std::vector<FutureCore*>& futures) {
  if (futures.empty()) throw ValueError("Set of Tasks/Futures is empty.");
  for (const FutureCore* future : futures) {
    check_future(future, *step_task()->loop());
  }
  clear_duplicates(futures);
  links_ = std::make_unique<WaitLink[]>(futures.size());
  for (FutureCore* future : futures) {
    if (future == nullptr) continue;
    WaitLink& link = links_[size_++];
    link.wait_ = this;
    link.future_ = future;
  }
}

void WaitBase::suspend(PromiseBase& promise) {
  TaskCore& task = *step_task();
  EventLoop& loop = *task.loop();
  if (options_.timeout && !options_.timeout->is_infinite()) {
    LoopAccess::arm(loop, *this,
                    loop.time() + std::max(*options_.timeout, Duration()));
  }
  left_ = size_;
  for (size_t i = 0; i < size_; ++i) links_[i].attach(*links_[i].future_);
  task.park(promise, *this);
}

void WaitBase::finish_wait() {
  stop();
  step_task()->check_cancelled();
}

void WaitLink::on_done(FutureCore& future) noexcept {
  const TaskCore* task = wait_->task();
  if (task == nullptr || task->waiting()) {
    DoneCallback::on_done(future);
  } else if (task->was_woken() || task->wait_cancelled()) {
    // The task's step comes first, and this with its frame goes in it.
    wait_->ends_with(future);
  }
  // Else its loop is being destroyed, and its frame goes before the queue does.
}

void WaitLink::run() { wait_->completed(*future_); }

void WaitBase::completed(FutureCore& future) {
  if (ends_with(future) && task()->waiting()) finish();
}

// Counts it. Looks at its exception where that may end the wait, also where it has
// ended already: as in Python nobody hears of the exception then.
bool WaitBase::ends_with(FutureCore& future) {
  return --left_ == 0 || options_.return_when == FIRST_COMPLETED ||
         (options_.return_when == FIRST_EXCEPTION && !future.cancelled() &&
          future.outcome() != nullptr);
}

void WaitBase::run() {
  if (task()->waiting()) finish();
}

void WaitBase::finish() {
  disarm();
  task()->wake();
}

void WaitBase::disarm() {
  if (armed()) LoopAccess::disarm(*task()->loop(), *this);
}

void WaitBase::stop() {
  for (size_t i = 0; i < size_; ++i) {
    if (links_[i].linked()) links_[i].future_->remove_link(links_[i]);
  }
  disarm();
}

}  // namespace asyncio::internal
