// call_later() and call_at() on a virtual clock.
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <signal.h>
#include <string>
#include <thread>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/testing/virtual_clock.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using internal::LoopAccess;

class LoopTimerTest : public LoopFixture {
 protected:
  // Notes its name and the time that has passed.
  auto stamp(std::string name) {
    return [this, name] { log += name + to_string(clock.elapsed()) + " "; };
  }
};

TEST_F(LoopTimerTest, FireByDeadlineAtTheNanosecond) {
  loop.call_later(3s, stamp("c"));
  loop.call_later(1ns, stamp("a"));
  loop.call_at(VirtualClock::kStart + 2s + 1ns, stamp("b"));
  run_for(4s);
  EXPECT_EQ(log, "a1ns b2.000000001s c3s ");
}

TEST_F(LoopTimerTest, EqualDeadlinesFireInTheOrderTheyWereMade) {
  for (char c = 'a'; c <= 'f'; ++c)
    loop.call_later(1s, note(std::string(1, c)));
  run_for(1s);
  EXPECT_EQ(log, "abcdef");
}

TEST_F(LoopTimerTest, NegativeAndPastDeadlinesAreDueAtOnceInTheirOrder) {
  loop.call_later(0s, stamp("c"));
  loop.call_later(-1s, stamp("b"));
  loop.call_at(TimePoint(), stamp("a"));
  EXPECT_EQ(loop.call_later(-1s, [] {}).when(), VirtualClock::kStart - 1s);
  run_iterations();
  EXPECT_EQ(log, "a0 b0 c0 ");
}

TEST_F(LoopTimerTest, InfiniteDelayNeverComes) {
  TimerHandle never = loop.call_later(Duration::infinite(), note("x"));
  EXPECT_EQ(never.when(), TimePoint::infinite_future());
  run_for(24h * 365 * 100);
  EXPECT_EQ(log, "");
}

TEST_F(LoopTimerTest, NanIsAValueError) {
  EXPECT_EQ(thrown<ValueError>([this] {
              loop.call_later(std::chrono::duration<double>(std::nan("")),
                              [] {});
            }),
            "Invalid delay: NaN (not a number)");
}

TEST_F(LoopTimerTest, WhenIsTheDeadline) {
  clock.advance(5s);
  EXPECT_EQ(loop.call_later(2s, [] {}).when(), loop.time() + 2s);
  EXPECT_EQ(loop.call_at(TimePoint(), [] {}).when(), TimePoint());
}

TEST_F(LoopTimerTest, SlowCallbackDelaysTimersButNotTheirOrder) {
  loop.call_later(1s, [this] { clock.advance(5s); });
  loop.call_later(3s, stamp("b"));
  loop.call_later(2s, stamp("a"));
  run_for(7s);
  EXPECT_EQ(log, "a6s b6s ");
}

TEST_F(LoopTimerTest, CancelledTimersDoNotMoveTheClock) {
  for (int i = 1; i <= 300; ++i) loop.call_later(i * 1ms, note("x")).cancel();
  run_for(1us);
  EXPECT_EQ(clock.elapsed(), 1us);
  EXPECT_EQ(log, "");
}

TEST_F(LoopTimerTest, TimerThatSchedulesItselfFiresOncePerIteration) {
  std::function<void()> again = [&] {
    log += 'x';
    loop.call_later(0s, again);
  };
  again();
  run_iterations(3);
  EXPECT_EQ(log, "xxxx");
}

TEST_F(LoopTimerTest, LongDelaysArrive) {
  run_for(24h * 365 * 200);
  EXPECT_EQ(clock.elapsed(), 24h * 365 * 200);
}

// --- what a virtual clock waits for

TEST_F(LoopTimerTest, VirtualTimeStandsStillWhileWorkIsOutside) {
  std::thread worker;
  loop.call_later(1h, stamp("timer"));
  loop.call_soon([&] {
    LoopAccess::begin_outside_work(loop);
    worker = std::thread([&] {
      loop.call_soon_threadsafe(stamp("work"));
      LoopAccess::end_outside_work(loop);
    });
  });
  run_for(2h);
  worker.join();
  EXPECT_EQ(log, "work0 timer1h ");
}

TEST_F(LoopTimerTest, EndOfOutsideWorkWakesTheLoopThatTookItsPostBefore) {
  std::thread worker;
  std::atomic<bool> taken = false;
  loop.call_soon([&] {
    LoopAccess::begin_outside_work(loop);
    worker = std::thread([&] {
      loop.call_soon_threadsafe([&] { taken = true; });
      while (!taken) std::this_thread::yield();
      LoopAccess::end_outside_work(loop);
    });
  });
  run_for(1h);
  worker.join();
  EXPECT_EQ(clock.elapsed(), 1h);
}

TEST_F(LoopTimerTest, OutsideWorkMayEndInItsPost) {
  std::thread worker;
  LoopAccess::begin_outside_work(loop);
  worker = std::thread([&] {
    loop.call_soon_threadsafe([&] {
      stamp("post")();
      LoopAccess::end_outside_work(loop);
    });
  });
  run_for(1h);
  worker.join();
  EXPECT_EQ(log, "post0 ");
}

TEST_F(LoopTimerTest, SignalsAreDeliveredBeforeVirtualTimeMoves) {
  loop.add_signal_handler(SIGUSR1, stamp("signal"));
  loop.call_soon([] { raise(SIGUSR1); });
  run_for(1h);
  EXPECT_EQ(log, "signal0 ");
}

// A clock of somebody's own that is bound to real time: the loop sleeps on it.
TEST(LoopClockTest, ClockThatDoesNotJumpIsSleptOn) {
  struct Shifted final : Clock {
    TimePoint now() override { return system_clock().now() + 1h; }
  } clock;
  auto loop = new_event_loop({.clock = &clock});
  TimerHandle timer = loop->call_later(300us, [&] { loop->stop(); });
  loop->run_forever();
  EXPECT_GE(clock.now(), timer.when());
}

}  // namespace
}  // namespace asyncio
