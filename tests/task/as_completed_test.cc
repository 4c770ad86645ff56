#include "asyncio/task/as_completed.h"

#include <chrono>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

std::vector<Task<int>> sleepers(std::vector<int> seconds) {
  std::vector<Task<int>> tasks;
  for (int s : seconds) tasks.push_back(create_task(sleep(s * 1s, s)));
  return tasks;
}

ASYNCIO_TEST(AsCompletedTest, GivesTheTasksThemselvesAsTheyEnd) {
  std::vector<Task<int>> tasks = sleepers({3, 1, 2});
  std::vector<Task<int>> order;
  for (auto it = as_completed(tasks); auto task = co_await it.next();) {
    EXPECT_TRUE(task->done());
    order.push_back(*task);
  }
  EXPECT_EQ(order, (std::vector<Task<int>>{tasks[1], tasks[2], tasks[0]}));
}

ASYNCIO_TEST(AsCompletedTest, MakesTasksOfOtherAwaitablesAtTheCall) {
  std::vector<Sleep> naps = {sleep(2s), sleep(1s)};
  auto it = as_completed(naps);
  co_await sleep(2s);
  int n = 0;
  while (auto task = co_await it.next()) n += task->done();
  EXPECT_EQ(n, 2);
  EXPECT_EQ(elapsed(), 2s);
}

Coroutine<int> sleeper(int seconds) {
  co_return co_await sleep(seconds * 1s, seconds);
}
ASYNCIO_TEST(AsCompletedTest, OfAViewOfCoroutines) {
  const std::vector<int> delays = {2, 1};
  auto coroutines = delays | std::views::transform(sleeper);
  std::vector<int> order;
  for (auto it = as_completed(coroutines); auto task = co_await it.next();) {
    order.push_back(task->result());
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

ASYNCIO_TEST(AsCompletedTest, OfNothingEndsAtOnce) {
  std::vector<Task<int>> none;
  auto it = as_completed(none, 1s);
  EXPECT_FALSE((co_await it.next()).has_value());
}

ASYNCIO_TEST(AsCompletedTest, ADuplicateComesOnce) {
  std::vector<Task<int>> tasks = sleepers({1});
  tasks.push_back(tasks[0]);
  auto it = as_completed(tasks);
  EXPECT_TRUE((co_await it.next()).has_value());
  EXPECT_FALSE((co_await it.next()).has_value());
}

ASYNCIO_TEST(AsCompletedTest, ThrowsTimeoutErrorForEachThatIsLate) {
  std::vector<Task<int>> tasks = sleepers({1, 10, 20});
  auto it = as_completed(tasks, 5s);
  EXPECT_EQ((co_await it.next())->result(), 1);
  for (int i = 0; i < 2; ++i) {
    auto late = co_await as_result(it.next());
    EXPECT_TRUE(late.get_if<TimeoutError>());
    EXPECT_EQ(elapsed(), 5s);
  }
  EXPECT_FALSE((co_await it.next()).has_value());
  EXPECT_EQ(co_await tasks[2], 20);
}

ASYNCIO_TEST(AsCompletedTest, WhatEndedInTimeIsGivenAfterTheDeadline) {
  std::vector<Task<int>> tasks = sleepers({1, 10});
  auto it = as_completed(tasks, 5s);
  co_await sleep(7s);
  EXPECT_EQ((co_await it.next())->result(), 1);
  EXPECT_TRUE((co_await as_result(it.next())).get_if<TimeoutError>());
}

ASYNCIO_TEST(AsCompletedTest, CanBeLeftAndResumed) {
  std::vector<Task<int>> tasks = sleepers({1, 2, 3});
  auto it = as_completed(tasks);
  EXPECT_EQ((co_await it.next())->result(), 1);
  co_await sleep(10s);
  EXPECT_EQ((co_await it.next())->result(), 2);
  EXPECT_EQ((co_await it.next())->result(), 3);
  EXPECT_FALSE((co_await it.next()).has_value());
}

ASYNCIO_TEST(AsCompletedTest, ACancelledNextLosesNothing) {
  std::vector<Task<int>> tasks = sleepers({2});
  auto it = as_completed(tasks);
  auto result = co_await as_result(wait_for(it.next(), 1s));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_EQ((co_await it.next())->result(), 2);
}

ASYNCIO_TEST(AsCompletedTest, WhatACancelledTaskWasServedGoesToTheNext) {
  Future<int> future = create_future<int>();
  std::vector<Future<int>> futures = {future};
  auto it = as_completed(futures);
  auto take = [&]() -> Coroutine<bool> {
    auto got = co_await it.next();
    co_return got.has_value();
  };
  Task<bool> first = create_task(take());
  co_await sleep(0s);
  future.set_result(1);
  co_await sleep(0s);  // first is woken, and has not run
  first.cancel();
  EXPECT_TRUE((co_await as_result(first)).cancelled());
  EXPECT_TRUE(co_await take());
}

ASYNCIO_TEST(AsCompletedTest, SeveralTasksAreServedInTurn) {
  std::vector<Task<int>> tasks = sleepers({2, 1});
  auto it = as_completed(tasks);
  auto take = [&]() -> Coroutine<int> {
    auto got = co_await it.next();
    co_return got ? got->result() : 0;
  };
  Task<int> a = create_task(take());
  Task<int> b = create_task(take());
  Task<int> c = create_task(take());
  EXPECT_EQ(co_await a, 1);
  EXPECT_EQ(co_await b, 2);
  EXPECT_EQ(co_await c, 0);
}

ASYNCIO_TEST(AsCompletedTest, MayBeDroppedWhileTasksRun) {
  std::vector<Task<int>> tasks = sleepers({1, 2});
  {
    auto it = as_completed(tasks, 1s);
    co_await sleep(0s);
  }
  { auto it = as_completed(tasks, 500ms); }
  EXPECT_EQ(co_await tasks[1], 2);
}

}  // namespace
}  // namespace asyncio
