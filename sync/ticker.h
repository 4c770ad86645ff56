// Ticker: gives the moments of a period, one by one.
//
//   Ticker ticker(100ms);
//   while (running) {
//     TimePoint due = co_await ticker.tick();   // the first at once
//     sample(due);
//   }
//
// Ticks are due when the first is asked for, one period later, and so on; what a
// task does between them does not shift them. Where a whole period was missed,
// what follows depends on {.missed}; of a period of 10 whose third tick is asked
// for at 35, the ticks are due at
//
//   kBurst   0 10 20 30 40 50   20 and 30 given at 35: until it has caught up
//   kDelay   0 10 20 45 55 65   a period after the late one was given
//   kSkip    0 10 20 40 50 60   at multiples of the period, as far as they are ahead
//
// Order: never early. Each tick takes a turn of the loop at least, so that one
// who cannot keep up keeps nobody else from running.
// Cancellation: of a tick() loses no tick: the next call gives it.
// Errors: ValueError("period must be > 0"); RuntimeError for a second task in
// tick(): tasks that share one, as a limit of their rate, take turns by a Lock.
// Lifetime: destroyed while a task is in tick(), that gets RuntimeError when its
// time has come.
// Threads: the loop's.
// Cost: that of a sleep: one timer, no allocation.
#ifndef ASYNCIO_SYNC_TICKER_H_
#define ASYNCIO_SYNC_TICKER_H_

#include <coroutine>
#include <cstdint>
#include <optional>

#include "asyncio/base/time.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/task/internal/waiter.h"
#include "asyncio/task/sleep.h"

namespace asyncio {

class Ticker;

enum class MissedTicks : uint8_t { kBurst, kDelay, kSkip };

struct TickerOptions {
  MissedTicks missed = MissedTicks::kBurst;
  std::optional<TimePoint> start = {};  // empty: when the first is asked for
};

namespace internal {

class TickAwaiter final : public LibraryAwaiter {
 public:
  explicit TickAwaiter(Ticker& ticker) : ticker_(ticker) {}
  TickAwaiter(const TickAwaiter&) = delete;
  TickAwaiter& operator=(const TickAwaiter&) = delete;
  ~TickAwaiter();

  bool await_ready();
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    sleep_->await_suspend(caller);
  }
  TimePoint await_resume();

 private:
  Ticker& ticker_;
  Tether tether_;
  TimePoint due_;
  std::optional<SleepVoidAwaiter> sleep_;
};

class [[nodiscard]] TickRequest {
 public:
  explicit TickRequest(Ticker& ticker) : ticker_(&ticker) {}
  TickAwaiter operator co_await() const { return TickAwaiter(*ticker_); }

 private:
  Ticker* ticker_;
};

}  // namespace internal

class Ticker {
 public:
  explicit Ticker(Duration period, TickerOptions options = {});
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // -> when it was due.
  internal::TickRequest tick() { return internal::TickRequest(*this); }

  // The next is due a period from now, or at `next`, and the rest after it. A
  // task in tick() goes on as before.
  void reset();
  void reset(TimePoint next) { next_ = next; }

  Duration period() const { return period_; }

 private:
  friend class internal::TickAwaiter;

  const Duration period_;
  const MissedTicks missed_;
  std::optional<TimePoint> next_;
  bool waiting_ = false;
  internal::Anchor anchor_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_TICKER_H_
