#include "asyncio/sync/ticker.h"

#include <chrono>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/testing/virtual_clock.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// When ticks are due and when they are given, in seconds.
class TickerTest : public AsyncTest {
 protected:
  Coroutine<> tick(Ticker& ticker) {
    const TimePoint due_at = co_await ticker.tick();
    due.push_back(static_cast<int>((due_at - VirtualClock::kStart) / 1s));
    given.push_back(static_cast<int>(elapsed() / 1s));
  }
  // Six ticks of ten seconds; before the third 25 seconds are lost.
  Coroutine<> miss_some(MissedTicks missed) {
    Ticker ticker(10s, {.missed = missed});
    for (int i = 0; i < 6; ++i) {
      if (i == 2) clock().advance(25s);
      co_await tick(ticker);
    }
  }

  std::vector<int> due, given;
};

ASYNCIO_TEST_F(TickerTest, TheFirstAtOnceTheRestByThePeriod) {
  Ticker ticker(10s);
  EXPECT_EQ(ticker.period(), Duration(10s));
  for (int i = 0; i < 3; ++i) co_await tick(ticker);
  EXPECT_THAT(due, ElementsAre(0, 10, 20));
  EXPECT_THAT(given, ElementsAre(0, 10, 20));
}

ASYNCIO_TEST_F(TickerTest, WorkBetweenThemDoesNotShiftThem) {
  Ticker ticker(10s);
  for (int i = 0; i < 4; ++i) {
    co_await tick(ticker);
    co_await sleep(9s);
  }
  EXPECT_THAT(given, ElementsAre(0, 10, 20, 30));
}

ASYNCIO_TEST_F(TickerTest, BurstCatchesUp) {
  co_await miss_some(MissedTicks::kBurst);
  EXPECT_THAT(due, ElementsAre(0, 10, 20, 30, 40, 50));
  EXPECT_THAT(given, ElementsAre(0, 10, 35, 35, 40, 50));
}

ASYNCIO_TEST_F(TickerTest, DelayBeginsAnew) {
  co_await miss_some(MissedTicks::kDelay);
  EXPECT_THAT(due, ElementsAre(0, 10, 20, 45, 55, 65));
  EXPECT_THAT(given, ElementsAre(0, 10, 35, 45, 55, 65));
}

ASYNCIO_TEST_F(TickerTest, SkipKeepsToTheMultiples) {
  co_await miss_some(MissedTicks::kSkip);
  EXPECT_THAT(due, ElementsAre(0, 10, 20, 40, 50, 60));
  EXPECT_THAT(given, ElementsAre(0, 10, 35, 40, 50, 60));
}

ASYNCIO_TEST_F(TickerTest, ATickThatIsALittleLateShiftsNothing) {
  Ticker ticker(10s, {.missed = MissedTicks::kDelay});
  co_await tick(ticker);
  clock().advance(19s);
  co_await tick(ticker);
  co_await tick(ticker);
  EXPECT_THAT(given, ElementsAre(0, 19, 20));
}

ASYNCIO_TEST_F(TickerTest, StartsWhenItIsTold) {
  Ticker ticker(10s, {.start = VirtualClock::kStart + 3s});
  for (int i = 0; i < 2; ++i) co_await tick(ticker);
  ticker.reset();
  co_await sleep(1s);
  co_await tick(ticker);
  ticker.reset(VirtualClock::kStart + 50s);
  co_await tick(ticker);
  EXPECT_THAT(given, ElementsAre(3, 13, 23, 50));
}

ASYNCIO_TEST_F(TickerTest, ResetWhileATaskIsInIt) {
  Ticker ticker(10s);
  co_await tick(ticker);
  auto second = create_task(tick(ticker));
  co_await sleep(4s);
  ticker.reset();
  co_await second;
  co_await tick(ticker);
  EXPECT_THAT(due, ElementsAre(0, 10, 14));
}

ASYNCIO_TEST_F(TickerTest, WhoCannotKeepUpLetsOthersRun) {
  Ticker ticker(1s);
  co_await ticker.tick();
  clock().advance(1h);
  bool ran = false;
  get_running_loop().call_soon([&] { ran = true; });
  co_await ticker.tick();
  EXPECT_TRUE(ran);
}

ASYNCIO_TEST_F(TickerTest, ServesOneTaskAtATime) {
  Ticker ticker(10s);
  co_await ticker.tick();
  auto first = create_task(ticker.tick());
  co_await turns();
  EXPECT_EQ(co_await ending(ticker.tick()), "RuntimeError");
  first.cancel();
  co_await turns();
  co_await tick(ticker);
  EXPECT_THAT(due, ElementsAre(10));
}

ASYNCIO_TEST_F(TickerTest, DestroyedWithATaskInIt) {
  auto dying = std::make_unique<Ticker>(10s);
  co_await dying->tick();
  auto waiting = create_task(dying->tick());
  co_await turns();
  dying.reset();
  EXPECT_EQ(co_await ending(waiting), "RuntimeError");
}

TEST(TickerValueTest, NeedsAPeriod) {
  EXPECT_THAT([] { Ticker ticker(0s); },
              testing::ThrowsMessage<ValueError>("period must be > 0"));
}

TEST(TickerCancelTest, NoTickIsLostToACancellation) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Ticker ticker(10s);
    const TimePoint start = co_await ticker.tick();
    int given = 0;
    scene.start([&]() -> Coroutine<> {
      for (int i = 0; i < 2; ++i) {
        co_await ticker.tick();
        ++given;
      }
    });
    auto end = co_await scene.ended();
    static_cast<void>(end);
    const TimePoint next = co_await ticker.tick();
    EXPECT_EQ(next, start + Duration(10s) * (given + 1));
  });
}

}  // namespace
}  // namespace asyncio
