// VirtualClock: a clock that jumps to the next deadline whenever the loop is
// idle, so that a test that sleeps an hour ends at once, always in the same order.
//
//   VirtualClock clock;
//   Runner runner(new_event_loop({.clock = &clock}));
//   runner.run(sleep(1h));                // returns at once
//   EXPECT_EQ(clock.now() - VirtualClock::kStart, 1h);
//
// Time stands still while anything runs. Before it jumps, the loop delivers the
// descriptors and signals that are ready, and it does not jump while work that it
// gave to another thread is under way. A loop without any deadline waits for
// events as it would on the real clock.
//
// Threads: the loop's.
#ifndef ASYNCIO_TESTING_VIRTUAL_CLOCK_H_
#define ASYNCIO_TESTING_VIRTUAL_CLOCK_H_

#include <algorithm>

#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"

namespace asyncio {

class VirtualClock final : public Clock {
 public:
  // What the clock shows at first: not zero, as no real clock does.
  static constexpr TimePoint kStart =
      TimePoint::from_nanoseconds(1'000'000'000'000);

  TimePoint now() override { return now_; }
  bool jump_to(TimePoint deadline) override {
    now_ = std::max(now_, deadline);
    return true;
  }

  // Lets time pass as a slow callback would. Negative counts as none.
  void advance(Duration d) { now_ += std::max(d, Duration::zero()); }

  // How much time has passed since the clock was made.
  Duration elapsed() const { return now_ - kStart; }

 private:
  TimePoint now_ = kStart;
};

}  // namespace asyncio

#endif  // ASYNCIO_TESTING_VIRTUAL_CLOCK_H_
