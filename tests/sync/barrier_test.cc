#include "asyncio/sync/barrier.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

TEST(BarrierValueTest, NeedsAParty) {
  EXPECT_THAT([] { Barrier barrier(0); },
              testing::ThrowsMessage<ValueError>("parties must be > 0"));
}

ASYNCIO_TEST(BarrierTest, OneAloneGoesThrough) {
  Barrier barrier(1);
  EXPECT_EQ(co_await barrier.wait(), 0u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

ASYNCIO_TEST(BarrierTest, EachGetsItsIndexWhenAllHaveCome) {
  Barrier barrier(3);
  std::vector<Task<size_t>> tasks;
  tasks.push_back(create_task(barrier.wait()));
  tasks.push_back(create_task(barrier.wait()));
  co_await turns(3);
  EXPECT_EQ(barrier.n_waiting(), 2u);
  EXPECT_FALSE(tasks[0].done());
  EXPECT_EQ(co_await barrier.wait(), 2u);
  EXPECT_EQ(barrier.n_waiting(), 0u);
  EXPECT_EQ(co_await tasks[0], 0u);
  EXPECT_EQ(co_await tasks[1], 1u);
}

ASYNCIO_TEST(BarrierTest, FillsAgainAndAgain) {
  Barrier barrier(2);
  std::string log;
  auto work = [&](char name) -> Coroutine<> {
    for (int round = 0; round < 3; ++round) {
      co_await barrier.wait();
      log += name;
    }
  };
  auto a = create_task(work('a'));
  auto b = create_task(work('b'));
  co_await a;
  co_await b;
  EXPECT_EQ(log, "bababa");
}

ASYNCIO_TEST(BarrierTest, CancelledWaiterLeavesItWhole) {
  Barrier barrier(2);
  auto a = create_task(barrier.wait());
  co_await turns();
  a.cancel();
  co_await turns(2);
  EXPECT_TRUE(a.cancelled());
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0u);
  auto b = create_task(barrier.wait());
  EXPECT_EQ(co_await barrier.wait(), 0u);
  EXPECT_EQ(co_await b, 1u);
}

ASYNCIO_TEST(BarrierTest, AbortBreaksItUntilReset) {
  Barrier barrier(3);
  auto a = create_task(barrier.wait());
  co_await turns();
  co_await barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(co_await ending(a), "BrokenBarrierError");
  EXPECT_EQ(co_await ending(barrier.wait()), "BrokenBarrierError");
  co_await barrier.reset();
  EXPECT_FALSE(barrier.broken());
}

ASYNCIO_TEST(BarrierTest, ResetThrowsWaitersOut) {
  Barrier barrier(2);
  auto a = create_task(barrier.wait());
  co_await turns();
  co_await barrier.reset();
  EXPECT_EQ(co_await ending(a), "BrokenBarrierError");
  auto b = create_task(barrier.wait());
  co_await turns();
  EXPECT_EQ(barrier.n_waiting(), 1u);
  co_await barrier.wait();
  co_await b;
}

ASYNCIO_TEST(BarrierTest, WithGivesTheIndex) {
  Barrier barrier(1);
  const size_t index = co_await with(barrier, [](size_t i) { return i; });
  EXPECT_EQ(index, 0u);
}

ASYNCIO_TEST(BarrierTest, DestroyedWithWaitersLetsGoOfThem) {
  auto barrier = std::make_unique<Barrier>(3);
  auto a = create_task(barrier->wait());
  auto b = create_task(barrier->wait());
  co_await turns(2);
  a.cancel();
  barrier.reset();
  EXPECT_EQ(co_await ending(a), "CancelledError");
  EXPECT_FALSE(b.done());
  b.cancel();
  EXPECT_EQ(co_await ending(b), "CancelledError");
}

ASYNCIO_TEST(BarrierTest, DestroyedWhileItDrains) {
  auto barrier = std::make_unique<Barrier>(2);
  auto a = create_task(barrier->wait());
  co_await turns(2);
  co_await barrier->wait();
  barrier.reset();
  EXPECT_EQ(co_await ending(a), "RuntimeError");
}

ASYNCIO_TEST(BarrierTest, DestroyedAfterItsAbortItIsWhatTheErrorNames) {
  auto barrier = std::make_unique<Barrier>(2);
  auto a = create_task(barrier->wait());
  co_await turns(2);
  co_await barrier->abort();
  barrier.reset();
  auto end = co_await as_result(a);
  EXPECT_EQ(exception_message(end.exception()),
            "the Barrier that the task waited in was destroyed");
}

}  // namespace
}  // namespace asyncio
