#include "asyncio/task/select.h"

#include <chrono>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/queue.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(Duration delay, int n) {
  co_await sleep(delay);
  co_return n;
}
Coroutine<int> fail(Duration delay) {
  co_await sleep(delay);
  throw ValueError("failed");
}
// Takes a second over a cancellation, and gives `n` all the same.
Coroutine<int> stubborn(int n) {
  auto slept = co_await as_result(sleep(1h));
  co_await sleep(1s);
  static_cast<void>(slept);
  co_return n;
}

ASYNCIO_TEST(SelectTest, GivesTheFirstAndCancelsTheOthers) {
  auto slow = create_task(give(3s, 3));
  auto first = co_await select(slow, give(1s, 1), sleep(2s));
  EXPECT_EQ(first.index(), 1u);
  EXPECT_EQ(first.get<1>(), 1);
  EXPECT_FALSE(first.has<0>());
  EXPECT_FALSE(first.has<2>());
  EXPECT_TRUE(slow.cancelled());
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_THROW(static_cast<void>(first.get<0>()), LookupError);
}

ASYNCIO_TEST(SelectTest, WaitsForTheOthersAndLosesNoValueOfTheirs) {
  auto first = co_await select(stubborn(7), sleep(1s));
  EXPECT_EQ(first.index(), 1u);
  first.get<1>();
  CO_ASSERT_TRUE(first.has<0>());
  EXPECT_EQ(first.get<0>(), 7);
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST(SelectTest, ThrowsWhatTheFirstThrew) {
  auto slow = create_task(give(3s, 3));
  auto ended = co_await as_result(select(fail(1s), slow));
  EXPECT_EQ(exception_name(ended.exception()), "ValueError");
  EXPECT_TRUE(slow.cancelled());
}

ASYNCIO_TEST(SelectTest, AnExceptionOfALoserIsReported) {
  auto late = []() -> Coroutine<int> {
    auto slept = co_await as_result(sleep(1h));
    static_cast<void>(slept);
    throw ValueError("late");
  };
  auto first = co_await select(give(1s, 1), late());
  EXPECT_EQ(first.get<0>(), 1);
  auto reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "Task exception was never retrieved");
}

ASYNCIO_TEST(SelectTest, OfThoseDoneBeforeTheForemostIsTheFirst) {
  auto a = create_future<int>();
  auto b = create_future<int>();
  auto c = create_future<int>();
  c.set_result(3);
  b.set_result(2);
  auto first = co_await select(a, b, c);
  EXPECT_EQ(first.index(), 1u);
  EXPECT_TRUE(a.cancelled());
  EXPECT_EQ(first.get<2>(), 3);
}

ASYNCIO_TEST(SelectTest, AShieldedTaskGoesOn) {
  auto task = create_task(give(2s, 2));
  auto first = co_await select(shield(task), sleep(1s));
  EXPECT_EQ(first.index(), 1u);
  EXPECT_EQ(co_await task, 2);
}

ASYNCIO_TEST(SelectTest, MoveOnlyValues) {
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_await sleep(1s);
    co_return std::make_unique<int>(4);
  };
  auto first = co_await select(make(), sleep(2s));
  std::unique_ptr<int> value = std::move(first).get<0>();
  EXPECT_EQ(*value, 4);
}

// Two queues are filled in one turn: one get() has its item, the other leaves
// its own where it is.
ASYNCIO_TEST(SelectTest, AQueueLosesNoItemToAGetThatLost) {
  Queue<int> a, b;
  auto selecting = create_task(select(a.get(), b.get()));
  co_await sleep(1s);
  b.put_nowait(2);
  a.put_nowait(1);
  co_await selecting;
  EXPECT_EQ(selecting.result().index(), 1u);
  EXPECT_EQ(a.qsize(), 1u);
  EXPECT_EQ(b.qsize(), 0u);
}

ASYNCIO_TEST(SelectTest, CancelledItCancelsAllAndWaitsForThem) {
  auto other = create_task(give(3s, 3));
  auto selecting = create_task(select(stubborn(7), other));
  co_await sleep(1s);
  selecting.cancel();
  auto ended = co_await as_result(selecting);
  EXPECT_TRUE(ended.cancelled());
  EXPECT_TRUE(other.cancelled());
  EXPECT_EQ(elapsed(), 2s);
}

TEST(SelectCancelTest, NoItemIsLostToACancellation) {
  const int rounds = cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Queue<int> queue;
    Event stop;
    std::vector<int> got;
    scene.start([&]() -> Coroutine<> {
      for (int i = 0; i < 2; ++i) {
        auto first = co_await select(queue.get(), stop.wait());
        if (first.index() == 0) got.push_back(first.get<0>());
      }
    });
    co_await sleep(1s);
    queue.put_nowait(1);
    co_await sleep(1s);
    queue.put_nowait(2);
    auto end = co_await scene.ended();
    static_cast<void>(end);
    while (!queue.empty()) got.push_back(queue.get_nowait());
    EXPECT_EQ(got, (std::vector<int>{1, 2}));
  });
  EXPECT_GT(rounds, 5);
}

ASYNCIO_TEST(RaceTest, GivesTheFirstValue) {
  EXPECT_EQ(co_await race(give(2s, 2), give(1s, 1), give(3s, 3)), 1);
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST(RaceTest, OfARange) {
  std::vector<Coroutine<int>> all;
  for (int i = 5; i > 0; --i) all.push_back(give(i * 1s, i));
  EXPECT_EQ(co_await race(std::move(all)), 1);
  std::vector<Task<int>> none;
  auto ended = co_await as_result(race(none));
  EXPECT_EQ(exception_name(ended.exception()), "ValueError");
}

ASYNCIO_TEST(RaceTest, OfAViewOfCoroutines) {
  const std::vector<int> delays = {2, 1};
  auto coroutines =
      delays | std::views::transform([](int n) { return give(n * 1s, n); });
  EXPECT_EQ(co_await race(coroutines), 1);
}

ASYNCIO_TEST(RaceTest, OfWhatGivesNothing) {
  co_await race(sleep(2s), sleep(1s));
  EXPECT_EQ(elapsed(), 1s);
}

}  // namespace
}  // namespace asyncio
