// Timers on the real clock: the kernel is what is looked at here.
#include <algorithm>
#include <chrono>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"
#include "asyncio/loop/event_loop.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

// How late a timer of `delay` fires, each of `n` times.
std::vector<Duration> lateness(Duration delay, int n) {
  auto loop = new_event_loop();
  std::vector<Duration> late;
  for (int i = 0; i < n; ++i) {
    TimerHandle timer = loop->call_later(delay, [&] { loop->stop(); });
    loop->run_forever();
    late.push_back(loop->time() - timer.when());
  }
  std::sort(late.begin(), late.end());
  return late;
}

TEST(SystemClockTest, IsMonotonic) {
  TimePoint before = system_clock().now();
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = system_clock().now();
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST(SystemClockTest, TimersAreNeverEarly) {
  for (Duration delay : {Duration(1ns), Duration(10us), Duration(333us),
                         Duration(1ms), Duration(1500us)}) {
    EXPECT_GE(lateness(delay, 20).front(), 0s) << delay.count();
  }
}

TEST(SystemClockTest, DeadlinesBelowAMillisecondAreHonoured) {
  // A wait in whole milliseconds would make each of them 800 us late.
  EXPECT_LT(lateness(200us, 50)[25], 600us);
}

TEST(SystemClockTest, ManyTimersFireInOrderAndNotEarly) {
  auto loop = new_event_loop();
  std::vector<TimePoint> fired;
  for (int i = 0; i < 200; ++i) {
    const TimePoint when = loop->time() + ((i * 37) % 200) * 50us;
    loop->call_at(when, [&, when] {
      EXPECT_GE(loop->time(), when);
      fired.push_back(when);
      if (fired.size() == 200) loop->stop();
    });
  }
  loop->run_forever();
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}

}  // namespace
}  // namespace asyncio
