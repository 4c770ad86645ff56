#include "asyncio/task/timeout.h"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

namespace internal {

// Lies outside of the Timeout: one that is due stays in the loop's queue even
// where its Timeout is gone by its turn.
class TimeoutTimer final : public LoopTimer, public Pooled {
 public:
  explicit TimeoutTimer(Timeout& timeout) : timeout_(&timeout) {}

  void run() override {
    Timeout* const timeout = timeout_;
    forget();
    delete this;
    if (timeout != nullptr) timeout->expire();
  }
  void drop() noexcept override {
    forget();
    delete this;
  }

  // Its Timeout needs it no more.
  void give_up() noexcept {
    timeout_ = nullptr;
    if (queued()) return;  // it ends itself in its turn
    delete this;           // out of the wheel, too
  }

 private:
  void forget() {
    if (timeout_ != nullptr) timeout_->timer_ = nullptr;
  }

  Timeout* timeout_;
};

}  // namespace internal

Timeout::Timeout(Timeout&& other) : when_(other.when_), state_(other.state_) {
  if (state_ == kEntered || state_ == kExpiring) {
    throw RuntimeError("Cannot move an active Timeout");
  }
}

void Timeout::enter() {
  if (state_ != kCreated) {
    throw RuntimeError("Timeout has already been entered");
  }
  if (internal::step_task() == nullptr) {
    throw RuntimeError("Timeout should be used inside a task");
  }
  state_ = kEntered;
  task_ = internal::Ref<internal::TaskCore>(internal::step_task());
  cancels_at_entry_ = task_->cancelling();
  reschedule(when_);
}

void Timeout::reschedule(std::optional<TimePoint> when) {
  if (state_ == kCreated) throw RuntimeError("Timeout has not been entered");
  if (state_ != kEntered) {
    static constexpr const char* kNames[] = {"created", "active", "expiring",
                                             "expired", "finished"};
    throw RuntimeError(std::string("Cannot change state of ") + kNames[state_] +
                       " Timeout");
  }
  when_ = when;
  if (!when || *when == TimePoint::infinite_future()) {
    disarm();
    return;
  }
  EventLoop& loop = *task_->loop();
  if (timer_ != nullptr && timer_->queued()) disarm();
  if (timer_ == nullptr) timer_ = new internal::TimeoutTimer(*this);
  if (*when <= loop.time()) {
    internal::LoopAccess::disarm(loop, *timer_);
    internal::LoopAccess::push(loop, *timer_);
  } else {
    internal::LoopAccess::arm(loop, *timer_, *when);
  }
}

void Timeout::expire() {
  state_ = kExpiring;
  task_->cancel("");
}

bool Timeout::exit(const std::exception_ptr& exception) {
  disarm();
  const internal::Ref<internal::TaskCore> task = std::move(task_);
  task_ = nullptr;
  if (state_ == kEntered) {
    state_ = kExited;
    return false;
  }
  state_ = kExpired;
  const bool ours = task->uncancel() <= cancels_at_entry_;
  if (ours && exception_cast<CancelledError>(exception) != nullptr) {
    throw TimeoutError();
  }
  return false;
}

void Timeout::disarm() noexcept {
  if (timer_ != nullptr) std::exchange(timer_, nullptr)->give_up();
}

Timeout timeout(std::optional<Duration> delay) {
  EventLoop& loop = get_running_loop();
  if (!delay) return Timeout(std::nullopt);
  return Timeout(loop.time() + *delay);
}

Timeout timeout_at(std::optional<TimePoint> when) { return Timeout(when); }

}  // namespace asyncio
