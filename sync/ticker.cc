#include "asyncio/sync/ticker.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

namespace {

// When the one after `due` is due, which was given at `now`.
TimePoint following(TimePoint due, TimePoint now, Duration period,
                    MissedTicks missed) {
  const TimePoint next = due + period;
  if (now < next) return next;
  switch (missed) {
    case MissedTicks::kBurst:
      break;
    case MissedTicks::kDelay:
      return now + period;
    case MissedTicks::kSkip:
      return due + period * ((now - due).count() / period.count() + 1);
  }
  return next;
}

}  // namespace

Ticker::Ticker(Duration period, TickerOptions options)
    : period_(period), missed_(options.missed), next_(options.start) {
  if (period <= Duration::zero()) throw ValueError("period must be > 0");
}

void Ticker::reset() { next_ = get_running_loop().time() + period_; }

internal::TickAwaiter::~TickAwaiter() {
  if (tether_.holds()) ticker_.waiting_ = false;
}

bool internal::TickAwaiter::await_ready() {
  if (ticker_.waiting_) {
    throw RuntimeError("another task is waiting for the next tick");
  }
  ticker_.waiting_ = true;
  tether_.tie(ticker_.anchor_);
  const TimePoint now = step_task()->loop()->time();
  if (!ticker_.next_) ticker_.next_ = now;
  due_ = *ticker_.next_;
  sleep_.emplace(due_ - now);
  return false;
}

TimePoint internal::TickAwaiter::await_resume() {
  sleep_->await_resume();
  if (!tether_.holds()) {
    throw RuntimeError("the Ticker that the task waited in was destroyed");
  }
  // Otherwise it was reset meanwhile.
  if (*ticker_.next_ == due_) {
    const TimePoint now = step_task()->loop()->time();
    ticker_.next_ = following(due_, now, ticker_.period_, ticker_.missed_);
  }
  return due_;
}

}  // namespace asyncio
