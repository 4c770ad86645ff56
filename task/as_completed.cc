#include "asyncio/task/as_completed.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"
#include "asyncio/task/wait.h"

namespace asyncio::internal {

// --- CompletionLink

void CompletionLink::on_done(FutureCore& future) noexcept {
  owner_->retain();
  DoneCallback::on_done(future);
}

void CompletionLink::drop() noexcept { owner_->release(); }

void CompletionLink::run() {
  const Ref<Completions> share = Ref<Completions>::adopt(owner_);
  owner_->completed(*this);
}

// --- CompletionAwaiter

const WaiterKind CompletionAwaiter::kKind = {
    1, "as_completed",
    [](Waiter& waiter, std::string_view message) {
      CompletionAwaiter& self = static_cast<CompletionAwaiter&>(waiter);
      if (self.state_ != kQueued) return false;
      self.give_up();
      return self.task()->cancel_wait(message);
    },
    nullptr};

CompletionAwaiter::CompletionAwaiter(Ref<Completions> completions)
    : Waiter(kKind), completions_(std::move(completions)) {}

CompletionAwaiter::~CompletionAwaiter() { give_up(); }

bool CompletionAwaiter::await_ready() {
  Completions& c = *completions_;
  if (c.unclaimed_ == 0) {
    state_ = kEnd;
    return true;
  }
  if (c.done_.empty()) return false;
  --c.unclaimed_;
  future_ = std::move(c.done_.front());
  c.done_.pop_front();
  state_ = kServed;
  return true;
}

void CompletionAwaiter::suspend(PromiseBase& promise) {
  --completions_->unclaimed_;
  completions_->enqueue(*this);
  state_ = kQueued;
  step_task()->park(promise, *this);
}

Ref<FutureCore> CompletionAwaiter::take() {
  step_task()->check_cancelled();
  if (std::exchange(state_, kIdle) == kEnd) return nullptr;
  if (!future_) throw TimeoutError();
  return std::move(future_);
}

// What it was served, or its claim, goes to others.
void CompletionAwaiter::give_up() {
  const State state = std::exchange(state_, kIdle);
  if (state == kQueued) {
    completions_->dequeue(*this);
    ++completions_->unclaimed_;
  } else if (state == kServed) {
    ++completions_->unclaimed_;
    completions_->put_back(std::move(future_));
  }
}

// --- Completions

Completions::Completions(EventLoop& loop, std::vector<Ref<FutureCore>> futures,
                         std::optional<Duration> timeout)
    : loop_(loop) {
  LoopAccess::retain(loop);
  std::vector<FutureCore*> cores;
  cores.reserve(futures.size());
  for (const Ref<FutureCore>& future : futures) cores.push_back(future.get());
  clear_duplicates(cores);
  links_ = std::make_unique<CompletionLink[]>(cores.size());
  for (FutureCore* core : cores) {
    if (core == nullptr) continue;
    CompletionLink& link = links_[size_++];
    link.owner_ = this;
    link.future_ = Ref<FutureCore>(core);
    link.attach(*core);
  }
  todo_ = unclaimed_ = size_;
  if (todo_ > 0 && timeout && !timeout->is_infinite()) {
    LoopAccess::arm(loop, *this, loop.time() + std::max(*timeout, Duration()));
  }
}

Completions::~Completions() { LoopAccess::release(loop_); }

void Completions::release() {
  if (--references_ > 0) return;
  detach();
  if (queued()) return;  // run() or drop() deletes it
  delete this;
}

void Completions::completed(CompletionLink& link) {
  if (todo_ == 0) return;  // the time was up first
  if (--todo_ == 0) LoopAccess::disarm(loop_, *this);
  put(std::move(link.future_));
}

// From now on nobody tells us.
void Completions::detach() {
  todo_ = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (links_[i].linked()) links_[i].future_->remove_link(links_[i]);
  }
  LoopAccess::disarm(loop_, *this);
}

void Completions::put(Ref<FutureCore> future) {
  if (!serve(future)) done_.push_back(std::move(future));
}

void Completions::put_back(Ref<FutureCore> future) {
  if (!serve(future)) done_.push_front(std::move(future));
}

bool Completions::serve(const Ref<FutureCore>& future) {
  if (first_waiter_ == nullptr) return false;
  CompletionAwaiter& waiter = *first_waiter_;
  dequeue(waiter);
  waiter.state_ = CompletionAwaiter::kServed;
  waiter.future_ = future;
  waiter.task()->wake();
  return true;
}

void Completions::enqueue(CompletionAwaiter& waiter) {
  waiter.prev_ = last_waiter_;
  (last_waiter_ != nullptr ? last_waiter_->next_ : first_waiter_) = &waiter;
  last_waiter_ = &waiter;
}

void Completions::dequeue(CompletionAwaiter& waiter) {
  (waiter.prev_ != nullptr ? waiter.prev_->next_ : first_waiter_) =
      waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->prev_ : last_waiter_) = waiter.prev_;
  waiter.prev_ = waiter.next_ = nullptr;
}

void Completions::run() {
  if (references_ == 0) {
    delete this;
    return;
  }
  const Ref<Completions> share(this);
  const size_t late = todo_;
  detach();
  for (size_t i = 0; i < late; ++i) put(nullptr);
}

void Completions::drop() noexcept {
  if (references_ == 0) delete this;
}

}  // namespace asyncio::internal
