#include "asyncio/timers/timer_wheel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/timers/internal/timer_slot.h"

namespace asyncio {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TimePoint at(int64_t nanoseconds) {
  return TimePoint::from_nanoseconds(nanoseconds);
}
TimePoint after(Duration d) { return TimePoint() + d; }

struct Timer : TimerNode {
  Timer(char n) : name(n) {}  // NOLINT: implicit
  char name;
};

// The names of what fires.
std::string advance(TimerWheel& wheel, TimePoint now) {
  std::string log;
  wheel.advance(
      now, [&](TimerNode& node) { log += static_cast<Timer&>(node).name; });
  return log;
}

// Moments where the digits of a tick carry, on every level.
std::vector<int64_t> boundaries() {
  std::vector<int64_t> all;
  for (int bit = 0; bit < 63; ++bit) {
    for (int64_t off : {-1, 0, 1}) all.push_back((int64_t{1} << bit) + off);
  }
  return all;
}

TEST(TimerWheelTest, ANodeIsThreeWordsAndAWheelLessThan22KiB) {
  EXPECT_EQ(sizeof(TimerNode), 24u);
  EXPECT_FALSE(std::is_polymorphic_v<TimerNode>);
  EXPECT_FALSE(std::is_copy_constructible_v<TimerNode>);
  EXPECT_FALSE(std::is_move_constructible_v<TimerNode>);
  EXPECT_LE(sizeof(TimerWheel), 22u * 1024);
}

TEST(TimerWheelTest, ANewWheelIsEmpty) {
  TimerWheel wheel(after(5s));
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_EQ(wheel.now(), after(5s));
  EXPECT_EQ(wheel.next_deadline(), std::nullopt);
  EXPECT_EQ(wheel.next_wakeup(), TimePoint::infinite_future());
  EXPECT_EQ(advance(wheel, after(10s)), "");
}

TEST(TimerWheelTest, FiresAtItsNanosecondAndNotBefore) {
  for (int64_t deadline : boundaries()) {
    TimerWheel wheel;
    Timer a = 'a';
    wheel.schedule(a, at(deadline));
    EXPECT_EQ(wheel.next_deadline(), at(deadline));
    EXPECT_EQ(advance(wheel, at(deadline - 1)), deadline == 0 ? "a" : "")
        << deadline;
    EXPECT_EQ(advance(wheel, at(deadline)), deadline == 0 ? "" : "a")
        << deadline;
    EXPECT_FALSE(a.armed());
    EXPECT_EQ(a.deadline(), at(deadline));
  }
}

TEST(TimerWheelTest, FiresAtItsNanosecondFromAnyStart) {
  for (int64_t start : {kMin, kMin + 1, int64_t{-1}, int64_t{65535},
                        int64_t{123456789012345}}) {
    for (int64_t delay : boundaries()) {
      if (start > 0 && delay > kMax - 1 - start) continue;
      TimerWheel wheel(at(start));
      Timer a = 'a';
      wheel.schedule(a, at(start + delay));
      EXPECT_EQ(advance(wheel, at(start + delay) - 1ns), delay == 0 ? "a" : "");
      EXPECT_EQ(advance(wheel, at(start + delay)), delay == 0 ? "" : "a");
    }
  }
}

TEST(TimerWheelTest, AllLevelsFireInOrderInOneJump) {
  const std::vector<int64_t> deadlines = boundaries();
  TimerWheel wheel;
  std::vector<std::unique_ptr<Timer>> timers;
  for (auto d = deadlines.rbegin(); d != deadlines.rend(); ++d) {
    timers.push_back(std::make_unique<Timer>('t'));
    wheel.schedule(*timers.back(), at(*d));
  }
  EXPECT_EQ(wheel.size(), deadlines.size());
  int64_t last = -1;
  EXPECT_EQ(wheel.advance(TimePoint::infinite_future(),
                          [&](TimerNode& node) {
                            EXPECT_GE(node.deadline().nanoseconds(), last);
                            last = node.deadline().nanoseconds();
                          }),
            deadlines.size());
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, OneNanosecondApartFiresInOrder) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c';
  wheel.schedule(c, after(1s + 2ns));
  wheel.schedule(a, after(1s));
  wheel.schedule(b, after(1s + 1ns));
  EXPECT_EQ(advance(wheel, after(1s + 1ns)), "ab");
  EXPECT_EQ(advance(wheel, after(2s)), "c");
}

TEST(TimerWheelTest, EqualDeadlinesFireInTheOrderOfScheduling) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c', d = 'd', e = 'e';
  wheel.schedule(a, after(1h));
  wheel.schedule(e, after(1h + 1ns));
  wheel.schedule(b, after(1h));
  advance(wheel, after(59min));
  wheel.schedule(c, after(1h));
  advance(wheel, after(1h - 1ns));
  wheel.schedule(d, after(1h));
  EXPECT_EQ(advance(wheel, after(2h)), "abcde");
}

TEST(TimerWheelTest, SchedulingAgainGoesBehindItsEquals) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b';
  wheel.schedule(a, after(1s));
  wheel.schedule(b, after(1s));
  wheel.schedule(a, after(1s));
  EXPECT_EQ(advance(wheel, after(1s)), "ba");
}

TEST(TimerWheelTest, SchedulingAgainMovesEarlierAndLater) {
  TimerWheel wheel;
  Timer a = 'a';
  wheel.schedule(a, after(1s));
  wheel.schedule(a, after(1h));
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(advance(wheel, after(1min)), "");
  wheel.schedule(a, after(2min));
  EXPECT_EQ(wheel.next_deadline(), after(2min));
  EXPECT_EQ(advance(wheel, after(2min)), "a");
}

TEST(TimerWheelTest, PastDeadlinesFireAtTheNextAdvanceByDeadline) {
  TimerWheel wheel(after(10s));
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  wheel.schedule(d, after(10s));
  wheel.schedule(b, after(2s));
  wheel.schedule(c, after(2s));
  wheel.schedule(a, at(kMin));
  EXPECT_EQ(wheel.next_deadline(), at(kMin));
  EXPECT_EQ(advance(wheel, after(10s)), "abcd");
}

TEST(TimerWheelTest, TimeThatGoesBackwardsIsNoProgress) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b';
  advance(wheel, after(10s));
  wheel.schedule(a, after(10s));
  wheel.schedule(b, after(10s + 1ns));
  EXPECT_EQ(advance(wheel, after(3s)), "a");
  EXPECT_EQ(wheel.now(), after(10s));
}

TEST(TimerWheelTest, InfiniteFutureIsArmedAndNeverFires) {
  TimerWheel wheel;
  Timer never = 'n', last = 'l';
  wheel.schedule(never, TimePoint::infinite_future());
  wheel.schedule(last, at(kMax - 1));
  EXPECT_EQ(advance(wheel, at(kMax - 2)), "");
  EXPECT_EQ(advance(wheel, TimePoint::infinite_future()), "l");
  EXPECT_EQ(advance(wheel, TimePoint::infinite_future()), "");
  EXPECT_EQ(wheel.now(), at(kMax - 1));
  EXPECT_TRUE(never.armed());
  EXPECT_EQ(wheel.next_deadline(), TimePoint::infinite_future());
  EXPECT_TRUE(wheel.cancel(never));
  EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

TEST(TimerWheelTest, AWheelThatStartsAtTheEndOfTimeStillRuns) {
  TimerWheel wheel(TimePoint::infinite_future());
  Timer a = 'a', b = 'b';
  wheel.schedule(b, at(kMax - 1));
  wheel.schedule(a, at(0));
  EXPECT_EQ(advance(wheel, TimePoint::infinite_future()), "ab");
}

TEST(TimerWheelTest, CancelSaysWhetherItWasArmed) {
  TimerWheel wheel;
  Timer a = 'a';
  EXPECT_FALSE(wheel.cancel(a));
  wheel.schedule(a, after(1s));
  EXPECT_TRUE(a.armed());
  EXPECT_TRUE(wheel.cancel(a));
  EXPECT_FALSE(a.armed());
  EXPECT_FALSE(wheel.cancel(a));
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(advance(wheel, after(1h)), "");
}

TEST(TimerWheelTest, CancelFromFrontMiddleAndBackKeepsTheRest) {
  for (char gone : std::string("abcd")) {
    TimerWheel wheel;
    Timer timers[] = {'a', 'b', 'c', 'd'};
    for (Timer& t : timers) wheel.schedule(t, after(1s));
    wheel.cancel(timers[gone - 'a']);
    EXPECT_EQ(wheel.size(), 3u);
    std::string rest = "abcd";
    rest.erase(rest.find(gone), 1);
    EXPECT_EQ(advance(wheel, after(1s)), rest);
  }
}

TEST(TimerWheelTest, NextDeadlineIsExactAfterTheEarliestIsCancelled) {
  TimerWheel wheel;
  // One slot, and in no order.
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  wheel.schedule(b, after(300s + 2ns));
  wheel.schedule(d, after(300s + 4ns));
  wheel.schedule(c, after(300s + 3ns));
  wheel.schedule(a, after(300s + 1ns));
  EXPECT_EQ(wheel.next_deadline(), after(300s + 1ns));
  wheel.cancel(a);
  EXPECT_EQ(wheel.next_wakeup(), after(300s + 1ns));  // a lower bound
  EXPECT_EQ(wheel.next_deadline(), after(300s + 2ns));
  EXPECT_EQ(wheel.next_wakeup(), after(300s + 2ns));
  wheel.cancel(b);
  EXPECT_EQ(wheel.next_deadline(), after(300s + 3ns));
  wheel.cancel(c);
  EXPECT_EQ(wheel.next_deadline(), after(300s + 4ns));
  EXPECT_EQ(advance(wheel, after(301s)), "d");
}

TEST(TimerWheelTest, KnowsOfASecondTimerThatIsDueSoon) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c';
  EXPECT_FALSE(wheel.is_due_between(after(0s), after(1h)));
  wheel.schedule(a, after(100us));
  EXPECT_TRUE(wheel.is_due_between(after(99us), after(100us)));
  EXPECT_FALSE(wheel.is_due_between(after(100us), after(1h)));
  wheel.schedule(b, after(101us));  // in the same slot
  EXPECT_TRUE(wheel.is_due_between(after(100us), after(101us)));
  wheel.cancel(b);
  wheel.schedule(c, after(300us));  // in another
  EXPECT_TRUE(wheel.is_due_between(after(100us), after(300us)));
  EXPECT_FALSE(wheel.is_due_between(after(100us), after(299us)));
}

TEST(TimerWheelTest, NextWakeupStaysExactForConstantTimeouts) {
  TimerWheel wheel;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>('t'));
    wheel.schedule(*timers.back(), after(30s) + Duration::nanoseconds(i));
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(wheel.next_wakeup(), after(30s) + Duration::nanoseconds(i));
    timers[static_cast<size_t>(i)].reset();
  }
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, CancellingManyByDeadlineInOneSlotIsNotQuadratic) {
  constexpr size_t kTimers = 200'000;
  TimerWheel wheel;
  std::vector<TimerNode> timers(kTimers);
  // Scattered over one slot of the level that counts in hours.
  for (size_t i = 0; i < kTimers; ++i) {
    const auto offset = static_cast<int64_t>(i * 7919 % kTimers);
    wheel.schedule(timers[i], after(100h) + offset * 1us);
  }
  std::vector<size_t> by_deadline(kTimers);
  for (size_t i = 0; i < kTimers; ++i) by_deadline[i * 7919 % kTimers] = i;
  for (size_t k = 0; k < kTimers; ++k) {
    ASSERT_EQ(wheel.next_deadline(),
              after(100h) + static_cast<int64_t>(k) * 1us);
    wheel.cancel(timers[by_deadline[k]]);
  }
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, TimersBeforeOneThatWasLookedForFireInOrder) {
  TimerWheel wheel;
  std::vector<TimerNode> far(100);
  for (size_t i = 0; i < far.size(); ++i) {
    wheel.schedule(far[i], after(10h) + static_cast<int64_t>(i % 7) * 1ns);
  }
  for (size_t i = 0; i < far.size(); i += 7) wheel.cancel(far[i]);
  EXPECT_EQ(wheel.next_deadline(), after(10h + 1ns));
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  wheel.schedule(d, after(9h));
  wheel.schedule(b, after(1s));
  wheel.schedule(a, after(1ms));
  wheel.schedule(c, after(1h));
  EXPECT_EQ(wheel.next_deadline(), after(1ms));
  EXPECT_EQ(advance(wheel, after(1s)), "ab");
  EXPECT_EQ(wheel.next_deadline(), after(1h));
  EXPECT_EQ(advance(wheel, after(9h)), "cd");
  EXPECT_EQ(wheel.next_deadline(), after(10h + 1ns));
}

TEST(TimerWheelTest, ACallbackSetsItsOwnTimerAgain) {
  TimerWheel wheel;
  Timer a = 'a';
  std::vector<TimePoint> fired;
  wheel.schedule(a, after(1s));
  wheel.advance(after(3s), [&](TimerNode& node) {
    EXPECT_FALSE(node.armed());
    fired.push_back(node.deadline());
    wheel.schedule(node, node.deadline() + 1s);
  });
  EXPECT_EQ(fired, (std::vector{after(1s), after(2s), after(3s)}));
  EXPECT_EQ(wheel.next_deadline(), after(4s));
}

TEST(TimerWheelTest, WhatACallbackSchedulesFiresInItsPlace) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c', d = 'd', p = 'p';
  wheel.schedule(a, after(1s));
  wheel.schedule(c, after(1s + 2ns));
  wheel.schedule(d, after(2s));
  std::string log;
  wheel.advance(after(1s + 5us), [&](TimerNode& node) {
    log += static_cast<Timer&>(node).name;
    if (log == "a") {
      wheel.schedule(b, after(1s + 1ns));
      wheel.schedule(p, after(1ms));       // past: before b
      wheel.schedule(a, after(1s + 2ns));  // behind c, its equal
    }
  });
  EXPECT_EQ(log, "apbca");
  EXPECT_EQ(advance(wheel, after(2s)), "d");
}

TEST(TimerWheelTest, ACallbackCancelsAndMovesOthersOfTheSameBatch) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  for (Timer* t : {&a, &b, &c, &d}) wheel.schedule(*t, after(1s));
  std::string log;
  wheel.advance(after(1s), [&](TimerNode& node) {
    log += static_cast<Timer&>(node).name;
    if (&node != &a) return;
    EXPECT_TRUE(wheel.cancel(b));
    EXPECT_FALSE(wheel.cancel(a));
    wheel.schedule(c, after(2s));
  });
  EXPECT_EQ(log, "ad");
  EXPECT_EQ(advance(wheel, after(2s)), "c");
}

TEST(TimerWheelTest, ACallbackDestroysTimersItsOwnToo) {
  TimerWheel wheel;
  std::vector<std::unique_ptr<Timer>> timers;
  for (char name : std::string("abc")) {
    timers.push_back(std::make_unique<Timer>(name));
    wheel.schedule(*timers.back(), after(1s));
  }
  std::string log;
  wheel.advance(after(1s), [&](TimerNode& node) {
    log += static_cast<Timer&>(node).name;
    if (log == "a") {
      timers[1].reset();
      timers[0].reset();
    }
  });
  EXPECT_EQ(log, "ac");
}

TEST(TimerWheelTest, ACallbackAdvancesTheWheel) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  wheel.schedule(a, after(1s));
  wheel.schedule(b, after(2s));
  wheel.schedule(c, after(3s));
  wheel.schedule(d, after(4s));
  std::string log;
  wheel.advance(after(2s), [&](TimerNode& node) {
    log += static_cast<Timer&>(node).name;
    if (&node == &a) log += '(' + advance(wheel, after(3s)) + ')';
  });
  EXPECT_EQ(log, "a(bc)");
  EXPECT_EQ(wheel.now(), after(3s));
}

TEST(TimerWheelTest, WhatACallbackThrowsLeavesTheRestArmed) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b';
  wheel.schedule(a, after(1s));
  wheel.schedule(b, after(1s));
  auto fail = [](TimerNode&) { throw std::runtime_error("no"); };
  EXPECT_THROW(wheel.advance(after(1s), fail), std::runtime_error);
  EXPECT_FALSE(a.armed());
  EXPECT_TRUE(b.armed());
  EXPECT_EQ(advance(wheel, after(1s)), "b");
}

TEST(TimerWheelTest, ManyScheduledIntoTheTickUnderWayAreNotQuadratic) {
  constexpr int kTimers = 200'000;
  TimerWheel wheel(after(1h));
  std::vector<TimerNode> timers(kTimers);
  // Each that fires puts itself somewhere between those that wait, once.
  for (int i = 0; i < kTimers; ++i) {
    wheel.schedule(timers[static_cast<size_t>(i)],
                   at(int64_t{i} * 7919 % kTimers));
  }
  int again = kTimers;
  int64_t last = -1;
  const size_t fired = wheel.advance(after(1h), [&](TimerNode& node) {
    const int64_t deadline = node.deadline().nanoseconds();
    ASSERT_LE(last, deadline);
    last = deadline;
    if (again > 0) {
      wheel.schedule(node, at(deadline + 1 + int64_t{again} * 7907 % kTimers));
      --again;
    }
  });
  EXPECT_EQ(fired, 2u * kTimers);
}

// A hundred thousand timers of a second, four at each moment.
class CrowdedSecond {
 public:
  CrowdedSecond() : timers_(kTimers) {
    for (size_t i = 0; i < kTimers; ++i) {
      wheel_.schedule(timers_[i], after(static_cast<int64_t>(
                                            i * 7919 % kMoments + 1) * 40us));
    }
  }
  TimerWheel& wheel() { return wheel_; }
  std::vector<TimerNode>& timers() { return timers_; }

  // Fires what is due, by deadline, equals in the order of scheduling.
  void advance(TimePoint now) {
    wheel_.advance(now, [&](TimerNode& node) {
      const auto number = static_cast<size_t>(&node - timers_.data());
      const std::pair place(node.deadline(), rank(number));
      ASSERT_GT(place, last_);
      last_ = place;
      ++fired_;
    });
  }
  size_t fired() const { return fired_; }

  // Schedules it again for the same time: behind the others.
  void renew(TimerNode& node) {
    wheel_.schedule(node, node.deadline());
    renewed_[static_cast<size_t>(&node - timers_.data())] = ++renewals_;
  }

 private:
  static constexpr size_t kTimers = 100'000;
  static constexpr size_t kMoments = 25'000;

  size_t rank(size_t number) {
    const auto renewed = renewed_.find(number);
    return renewed == renewed_.end() ? number : kTimers + renewed->second;
  }

  std::vector<TimerNode> timers_;
  TimerWheel wheel_;
  std::map<size_t, size_t> renewed_;
  size_t renewals_ = 0;
  std::pair<TimePoint, size_t> last_{TimePoint(), 0};
  size_t fired_ = 0;
};

// Counts the timers that an advance() moves, and at most as many beside them: those
// of which the one before them in their list has changed. It takes neighbours that
// go to different slots.
class Moves {
 public:
  explicit Moves(const std::vector<TimerNode>& timers) : timers_(timers) {
    count();
  }
  size_t count() {
    size_t changed = 0;
    before_.resize(timers_.size());
    for (size_t i = 0; i < timers_.size(); ++i) {
      const auto& links =
          reinterpret_cast<const internal::TimerLinks&>(timers_[i]);
      if (std::exchange(before_[i], links.prev) != links.prev) ++changed;
    }
    return changed;
  }

 private:
  const std::vector<TimerNode>& timers_;
  std::vector<uintptr_t> before_;
};

TEST(TimerWheelTest, ManyTimersGoDownAFewAtATime) {
  CrowdedSecond crowd;
  Moves moves(crowd.timers());
  size_t most = 0;
  for (int step = 1; step <= 500; ++step) {
    crowd.advance(after(step * 2ms));
    most = std::max(most, moves.count());
  }
  EXPECT_EQ(crowd.fired(), crowd.timers().size());
  EXPECT_LT(most, 5'000u);  // of 7,000 in each slot of 67 ms, 100,000 in one of 2 s
}

TEST(TimerWheelTest, TimeoutsThatAreSetAgainGoDownAFewAtATime) {
  TimerWheel wheel(after(8s));
  std::vector<TimerNode> timers(100'000);
  for (TimerNode& timer : timers) wheel.schedule(timer, after(68s));
  // 200,000 a second, of 40 to 58 s. A slot of 69 s begins meanwhile, with all.
  size_t most = 0;
  size_t next = 0;
  std::optional<Moves> moves;
  for (Duration now = 63s; now < Duration(70s); now = now + 2ms) {
    for (int i = 0; i < 400; ++i) {
      next = (next + 31'013) % timers.size();
      wheel.schedule(timers[next], after(now + 40s + i % 10 * 2s));
    }
    const bool near = now > Duration(68'650ms) && now < Duration(68'770ms);
    if (near) moves.emplace(timers);
    EXPECT_EQ(wheel.advance(after(now), [](TimerNode&) {}), 0u);
    if (near) most = std::max(most, moves->count());
  }
  EXPECT_LT(most, 5'000u);
}

TEST(TimerWheelTest, EqualsStayInOrderWhileTheyGoDown) {
  CrowdedSecond crowd;
  size_t next = 0;
  for (int step = 0; step <= 10'000; ++step) {
    for (int i = 0; i < 5; ++i) {
      next = (next + 31'013) % crowd.timers().size();
      TimerNode& node = crowd.timers()[next];
      if (node.armed()) crowd.renew(node);
    }
    if (step % 7 == 0 && !crowd.wheel().empty()) {
      const std::optional<TimePoint> deadline = crowd.wheel().next_deadline();
      ASSERT_TRUE(deadline.has_value());
      ASSERT_GE(*deadline, crowd.wheel().now());
    }
    crowd.advance(after(step * 100us));
  }
  EXPECT_EQ(crowd.fired(), crowd.timers().size());
}

TEST(TimerWheelTest, PopDueTakesOneAtATime) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b';
  wheel.schedule(b, after(2s));
  wheel.schedule(a, after(1s));
  EXPECT_EQ(wheel.pop_due(after(500ms)), nullptr);
  EXPECT_EQ(wheel.pop_due(after(2s)), &a);
  EXPECT_TRUE(b.armed());
  EXPECT_EQ(wheel.pop_due(after(2s)), &b);
  EXPECT_EQ(wheel.pop_due(after(2s)), nullptr);
}

TEST(TimerWheelTest, SleepingUntilTheWakeupReachesEveryTimer) {
  TimerWheel wheel;
  Timer a = 'a', b = 'b', c = 'c', d = 'd';
  wheel.schedule(b, after(300s + 2ns));
  wheel.schedule(d, after(300s + 4ns));
  wheel.schedule(c, after(300s + 3ns));
  wheel.schedule(a, after(300s + 1ns));
  wheel.cancel(a);
  EXPECT_EQ(advance(wheel, wheel.next_wakeup()), "");  // a's, once
  EXPECT_EQ(advance(wheel, wheel.next_wakeup()), "b");
  EXPECT_EQ(advance(wheel, wheel.next_wakeup()), "c");
  EXPECT_EQ(advance(wheel, wheel.next_wakeup()), "d");
}

TEST(TimerWheelTest, ADestroyedNodeIsDisarmed) {
  TimerWheel wheel;
  Timer a = 'a';
  wheel.schedule(a, after(1s));
  {
    Timer b = 'b', c = 'c';
    wheel.schedule(b, after(1s));
    wheel.schedule(c, after(1h));
    EXPECT_EQ(wheel.size(), 3u);
  }
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(advance(wheel, after(2h)), "a");
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, ADestroyedWheelLeavesItsNodesUnarmed) {
  Timer due = 'd', soon = 's', late = 'l', never = 'n';
  auto wheel = std::make_unique<TimerWheel>(after(10s));
  wheel->schedule(due, after(1s));
  wheel->schedule(soon, after(11s));
  wheel->schedule(late, after(100h));
  wheel->schedule(never, TimePoint::infinite_future());
  wheel.reset();
  for (Timer* t : {&due, &soon, &late, &never}) EXPECT_FALSE(t->armed());
  TimerWheel other;
  other.schedule(soon, after(1s));
  EXPECT_EQ(advance(other, after(1s)), "s");
}

TEST(TimerWheelTest, SchedulingMovesANodeBetweenWheels) {
  TimerWheel one, two;
  Timer a = 'a';
  one.schedule(a, after(1s));
  two.schedule(a, after(2s));
  EXPECT_TRUE(one.empty());
  EXPECT_EQ(advance(one, after(5s)), "");
  EXPECT_EQ(advance(two, after(5s)), "a");
}

}  // namespace
}  // namespace asyncio
