// Counts calls of operator new: a wheel never allocates, not even at first.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/allocations.h"
#include "asyncio/timers/timer_wheel.h"

namespace asyncio {
namespace {

TEST(TimerWheelAllocationTest, NothingAWheelDoesAllocates) {
  constexpr int64_t kTimers = 10'000;
  std::vector<TimerNode> timers(kTimers);
  auto spread = [](int64_t i) {  // from nanoseconds to days
    return TimePoint::from_nanoseconds(int64_t{1} << (i % 50)) +
           Duration::nanoseconds(i);
  };
  size_t fired = 0;

  const int64_t before = benchmarks::allocations();
  {
    TimerWheel wheel;
    for (int64_t i = 0; i < kTimers; ++i) {
      wheel.schedule(timers[static_cast<size_t>(i)], spread(i));
    }
    for (int64_t i = 0; i < kTimers; i += 2) {
      wheel.schedule(timers[static_cast<size_t>(i)], spread(i + 7));
    }
    for (int64_t i = 0; i < kTimers; i += 5) {
      TimerWheel::cancel(timers[static_cast<size_t>(i)]);
    }
    while (!wheel.empty()) {
      fired += wheel.advance(wheel.next_wakeup(), [](TimerNode&) {});
    }
  }
  EXPECT_EQ(benchmarks::allocations() - before, 0);
  EXPECT_EQ(fired, size_t{kTimers} / 5 * 4);
}

}  // namespace
}  // namespace asyncio
