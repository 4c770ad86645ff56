// How long the loop waits for its timers: exactly, but where they come thick.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/wakeup.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

// Bound to a time that passes where the loop waits, and by `each_look`.
class SteppedClock final : public Clock {
 public:
  explicit SteppedClock(Duration each_look) : each_look_(each_look) {}
  TimePoint now() override { return now_ = now_ + each_look_; }
  void pass(Duration time) { now_ = now_ + time; }

 private:
  const Duration each_look_;
  TimePoint now_ = TimePoint::from_nanoseconds(1'000'000'000);
};

class SteppedPoller final : public internal::Poller {
 public:
  SteppedPoller(SteppedClock& clock, std::vector<Duration>& waits)
      : clock_(clock), waits_(waits) {}
  void set_interest(internal::IoNode&, int32_t) override {}
  void poll(Duration timeout, internal::ReadyQueue&) override {
    if (timeout <= Duration::zero()) return;
    waits_.push_back(timeout);
    clock_.pass(timeout);
  }

 private:
  SteppedClock& clock_;
  std::vector<Duration>& waits_;
};

class TimerWaitTest : public ::testing::Test {
 protected:
  explicit TimerWaitTest(Duration spin = Duration::zero())
      : clock_(spin) {
    internal::LoopParts parts;
    parts.make_poller = [this](const internal::Wakeup&) {
      return std::make_unique<SteppedPoller>(clock_, waits);
    };
    loop_ = internal::LoopAccess::new_loop({.clock = &clock_, .spin = spin},
                                           parts);
  }

  // Arms a timer for each of the delays, runs until the last has fired, and gives
  // by how much each was late, in the order in which they fired.
  std::vector<Duration> lateness(const std::vector<Duration>& delays) {
    std::vector<Duration> late;
    for (Duration delay : delays) {
      const TimePoint due = loop_->time() + delay;
      loop_->call_at(due, [&, due] {
        late.push_back(loop_->time() - due);
        if (late.size() == delays.size()) loop_->stop();
      });
    }
    loop_->run_forever();
    return late;
  }

  std::vector<Duration> waits;
  std::unique_ptr<EventLoop> loop_;

 private:
  SteppedClock clock_;  // a look takes as long as the loop would spin
};

std::vector<Duration> every(Duration interval, int n) {
  std::vector<Duration> delays;
  for (int i = 1; i <= n; ++i) delays.push_back(interval * i);
  return delays;
}

TEST_F(TimerWaitTest, TimersAQuarterOfAMillisecondApartAreExact) {
  for (Duration late : lateness(every(250us, 100))) {
    EXPECT_EQ(late, Duration::zero());
  }
  EXPECT_EQ(waits, std::vector<Duration>(100, 250us));
}

TEST_F(TimerWaitTest, ThickTimersShareTheirWakeUpsAndAreLateByAQuarterAtMost) {
  const std::vector<Duration> late = lateness(every(20us, 1000));
  for (Duration l : late) {
    EXPECT_GE(l, Duration::zero());
    EXPECT_LE(l, Duration(250us));
  }
  // Of 20 ms; one more for the first, and one for the last, which is alone. And one
  // where each 2.1 ms end: those after them are in one slot, of which the loop does
  // not know more than the ends.
  EXPECT_LE(waits.size(), size_t{20'000 / 250 + 2 + 20'000 / 2'100});
}

TEST_F(TimerWaitTest, TheFirstOfThickTimersIsExact) {
  EXPECT_EQ(lateness(every(20us, 1000)).front(), Duration::zero());
}

TEST_F(TimerWaitTest, AloneEvenAFastTickIsExact) {
  int left = 100;
  std::function<void()> tick = [&] {
    if (--left == 0) return loop_->stop();
    loop_->call_later(100us, std::ref(tick));
  };
  loop_->call_later(100us, std::ref(tick));
  loop_->run_forever();
  EXPECT_EQ(waits, std::vector<Duration>(100, 100us));
}

TEST_F(TimerWaitTest, TimersThatTheKernelWakesTogetherDoNotWaitForEachOther) {
  std::vector<Duration> delays = {1ms};
  for (Duration d : every(10us, 5)) delays.push_back(1100us + d);
  lateness(delays);
  EXPECT_EQ(waits[1], Duration(110us));
}

TEST_F(TimerWaitTest, ThickTimersFireInTheOrderOfTheirDeadlines) {
  std::vector<int> order;
  for (int i = 99; i >= 0; --i) {
    loop_->call_later(Duration(17us) * i, [&, i] {
      order.push_back(i);
      if (i == 99) loop_->stop();
    });
  }
  loop_->run_forever();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

class SpinningTimerWaitTest : public TimerWaitTest {
 protected:
  SpinningTimerWaitTest() : TimerWaitTest(/*spin=*/1us) {}
};

// Who pays for answers without delay gets his timers without delay.
TEST_F(SpinningTimerWaitTest, ThickTimersAreNotMadeToWait) {
  lateness(every(60us, 100));
  for (Duration wait : waits) EXPECT_LE(wait, Duration(60us));
}

}  // namespace
}  // namespace asyncio
