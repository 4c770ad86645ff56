#include "asyncio/task/internal/thread_domain.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/concurrent_state.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {
namespace {

constinit thread_local ThreadCall* current_call = nullptr;

}  // namespace

void ThreadCall::start(Executor* executor) {
  ThreadDomain& domain = ThreadDomain::of(loop_);
  if (executor == nullptr) {
    if (domain.shutdown_called) {
      throw RuntimeError("Executor shutdown has been called");
    }
    if (!domain.has_default) {
      domain.executors.push_back(std::make_shared<ThreadPoolExecutor>());
      domain.has_default = true;
    }
    executor = domain.executors.back().get();
  }
  future_->add_link(*this);
  domain.add(*this);
  self_ = shared_from_this();
  holds_clock_ = true;
  LoopAccess::begin_outside_work(loop_);
  // The executor's share: dropped without a call, it is a cancellation.
  std::shared_ptr<Work> share(this, [self = self_](Work*) { self->cancel(); });
  try {
    executor->submit(std::move(share));
  } catch (...) {
    // Its share is gone, and so the call on its way to run(): for nobody.
    if (linked()) future_->remove_link(*this);
    future_ = nullptr;
    throw;
  }
}

ThreadCall* ThreadCall::current() { return current_call; }

void ThreadCall::call() noexcept {
  ThreadCall* const outer = std::exchange(current_call, this);
  invoke();
  current_call = outer;
  ended();
}

void ThreadCall::on_done(FutureCore& future) noexcept {
  if (!future.cancelled()) return;
  if (cancel()) return;
  // It runs on for nobody.
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  let_clock_go();
}

void ThreadCall::ended() noexcept {
  std::lock_guard lock(mutex_);
  if (cut_off_) return;
  // On a closed loop it stays in the list, until the loop is destroyed.
  posted_ = LoopAccess::post(loop_, *this);
}

bool ThreadCall::pause(const EventLoop* loop) {
  std::lock_guard lock(mutex_);
  if (loop != &loop_ || cut_off_ || !holds_clock_) return false;
  let_clock_go();
  return true;
}

void ThreadCall::resume() {
  std::lock_guard lock(mutex_);
  if (cut_off_ || cancelled_ || holds_clock_) return;
  holds_clock_ = true;
  LoopAccess::begin_outside_work(loop_);
}

void ThreadCall::let_clock_go() {
  if (std::exchange(holds_clock_, false)) {
    LoopAccess::end_outside_work(loop_);
  }
}

std::shared_ptr<ThreadCall> ThreadCall::leave(
    Ref<FutureCore>& future) noexcept {
  std::lock_guard lock(mutex_);
  if (!cut_off_) {
    cut_off_ = true;
    unlink();
    if (linked()) future_->remove_link(*this);
    future = std::move(future_);
    let_clock_go();
  }
  return std::move(self_);
}

void ThreadCall::run() {
  Ref<FutureCore> future;
  std::shared_ptr<ThreadCall> self = leave(future);
  if (future && !future->done()) deliver(*future);
  forget();
}

void ThreadCall::drop() noexcept {
  Ref<FutureCore> future;
  std::shared_ptr<ThreadCall> self = leave(future);
  forget();
}

void LoopLink::open(EventLoop& loop, FutureCore& core) {
  ThreadDomain::of(loop).add(*this);
  core_ = &core;
  std::lock_guard lock(mutex_);
  loop_ = &loop;
}

void LoopLink::cut() noexcept {
  if (core_ != nullptr) {
    core_ = nullptr;
    unlink();
    std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }
  // Outside the lock: it may post to this very link.
  if (auto state = std::move(state_)) state->cancel();
}

void LoopLink::post(absl::AnyInvocable<void()> fn) {
  std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return;
  try {
    loop_->call_soon_threadsafe(std::move(fn));
  } catch (const RuntimeError&) {
    // It is closed.
  }
}

ThreadDomain& ThreadDomain::of(EventLoop& loop) {
  LoopAttachment* found =
      LoopAccess::attachment(loop, AttachmentSlot::kThreads);
  if (found == nullptr) {
    auto domain = std::make_unique<ThreadDomain>();
    found = domain.get();
    LoopAccess::attach(loop, AttachmentSlot::kThreads, std::move(domain));
  }
  return static_cast<ThreadDomain&>(*found);
}

ThreadDomain::ThreadDomain() {
  calls_.prev = calls_.next = &calls_;
  links_.prev = links_.next = &links_;
}

void ThreadDomain::append(ThreadListNode& list, ThreadListNode& node) {
  node.prev = list.prev;
  node.next = &list;
  list.prev->next = &node;
  list.prev = &node;
}

void ThreadDomain::loop_closed() {
  for (ThreadListNode* node = links_.next; node != &links_; node = node->next) {
    auto& link = static_cast<LoopLink&>(*node);
    if (link.state_) link.state_->cancel();
  }
}

void ThreadDomain::loop_destroyed() {
  while (links_.next != &links_) {
    static_cast<LoopLink*>(links_.next)->cut();
  }
  while (calls_.next != &calls_) {
    auto& call = static_cast<ThreadCall&>(*calls_.next);
    Ref<FutureCore> future;
    std::shared_ptr<ThreadCall> self;
    std::lock_guard lock(call.mutex_);
    call.cut_off_ = true;
    call.unlink();
    if (call.linked()) call.future_->remove_link(call);
    future = std::move(call.future_);
    // One that is in the queue still is released from there.
    if (!call.posted_) self = std::move(call.self_);
  }
  executors.clear();
}

}  // namespace asyncio::internal
