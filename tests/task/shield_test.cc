#include "asyncio/task/shield.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> fail_after(Duration delay) {
  co_await sleep(delay);
  throw ValueError("x");
}

ASYNCIO_TEST(ShieldTest, GivesTheInnerResultOneTurnLater) {
  Future<int> inner = create_future<int>();
  Future<int> outer = shield(inner);
  EXPECT_NE(outer, inner);
  inner.set_result(3);
  EXPECT_FALSE(outer.done());
  EXPECT_EQ(co_await outer, 3);
}

ASYNCIO_TEST(ShieldTest, GivesADoneOneBack) {
  Future<int> inner = create_future<int>();
  inner.set_result(3);
  EXPECT_EQ(shield(inner), inner);
  co_return;
}

ASYNCIO_TEST(ShieldTest, KeepsACancellationFromTheInnerTask) {
  Task<int> inner = create_task(sleep(2s, 5));
  Task<> waiter = create_task([&]() -> Coroutine<> { co_await shield(inner); });
  co_await sleep(1s);
  waiter.cancel("why");
  auto result = co_await as_result(waiter);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "why");
  EXPECT_EQ(co_await inner, 5);
  EXPECT_EQ(inner.cancelling(), 0);
}

ASYNCIO_TEST(ShieldTest, PassesOnHowTheInnerTaskEnds) {
  auto failed = co_await as_result(shield(fail_after(1s)));
  EXPECT_TRUE(failed.get_if<ValueError>());
  Task<> inner = create_task(sleep(1h));
  Future<> outer = shield(inner);
  inner.cancel();
  EXPECT_TRUE((co_await as_result(outer)).cancelled());
  EXPECT_TRUE(outer.cancelled());
}

ASYNCIO_TEST(ShieldTest, ReportsALaterErrorOnceHoweverOftenItWasShielded) {
  Task<int> inner = create_task(fail_after(2s));
  Future<int> first = shield(inner);
  Future<int> second = shield(inner);
  co_await sleep(1s);
  first.cancel();
  second.cancel();
  co_await wait({inner});
  co_await sleep(1s);
  auto reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "ValueError exception in shielded future");
  EXPECT_EQ(exception_message(reports[0].exception), "x");
}

ASYNCIO_TEST(ShieldTest, MovesAResultThatCannotBeCopied) {
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_await sleep(1s);
    co_return std::make_unique<int>(4);
  };
  std::unique_ptr<int> four = co_await shield(make());
  EXPECT_EQ(*four, 4);
}

ASYNCIO_TEST(ShieldTest, MayBeDropped) {
  Future<int> inner = create_future<int>();
  static_cast<void>(shield(inner));
  static_cast<void>(shield(create_future<int>()));
  Future<int> cancelled = shield(inner);
  cancelled.cancel();
  cancelled = {};
  inner.set_result(1);
  co_await sleep(1s);
}

ASYNCIO_TEST(ShieldTest, OfAFutureThatNobodyCanResolveCanBeCancelled) {
  Future<> outer = shield(create_future<>());
  co_await sleep(0s);
  EXPECT_TRUE(outer.cancel());
  EXPECT_TRUE((co_await as_result(outer)).cancelled());
}

}  // namespace
}  // namespace asyncio
