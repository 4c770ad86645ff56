#include "asyncio/task/timeout.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

auto nap(Duration d) {
  return [d] { return sleep(d); };
}

ASYNCIO_TEST(TimeoutTest, ThrowsTimeoutErrorWhenTheTimeIsUp) {
  Timeout limit = timeout(2s);
  auto result = co_await as_result(with(limit, nap(1h)));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_TRUE(limit.expired());
  EXPECT_EQ(elapsed(), 2s);
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TimeoutTest, DoesNothingInTime) {
  Timeout limit = timeout(2s);
  co_await with(limit, nap(1s));
  co_await sleep(5s);
  EXPECT_FALSE(limit.expired());
}

ASYNCIO_TEST(TimeoutTest, GivesWhatTheBodyGives) {
  const int n = co_await with(timeout(1s), []() -> Coroutine<int> {
    co_await sleep(0s);
    co_return 3;
  });
  EXPECT_EQ(n, 3);
}

// Golden probe 7.
ASYNCIO_TEST(TimeoutTest, OfZeroRunsTheBodyToItsFirstAwait) {
  std::string log;
  auto result = co_await as_result(with(timeout(0s), [&]() -> Coroutine<> {
    log += "body";
    co_await sleep(0s);
    log += " not here";
  }));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_EQ(log, "body");
}

// Golden probe 8.
ASYNCIO_TEST(TimeoutTest, NestedAndBothOverdueEachThrowsItsOwn) {
  std::string log;
  auto result = co_await as_result(with(timeout(2s), [&]() -> Coroutine<> {
    auto inner = co_await as_result(with(timeout(1s), nap(1h)));
    if (inner.get_if<TimeoutError>()) log += "inner";
    clock().advance(5s);
    co_await sleep(0s);
    co_await sleep(0s);
    log += " not here";
  }));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_EQ(log, "inner");
}

ASYNCIO_TEST(TimeoutTest, ACancellationFromElsewherePasses) {
  Task<> task = create_task(with(timeout(10s), nap(1h)));
  co_await sleep(1s);
  task.cancel("why");
  auto result = co_await as_result(task);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "why");
  EXPECT_TRUE(task.cancelled());
}

ASYNCIO_TEST(TimeoutTest, ACancellationInTheSameTurnWins) {
  Task<> task = create_task(with(timeout(1s), nap(1h)));
  co_await sleep(1s);
  task.cancel();
  auto result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST(TimeoutTest, ABodyThatSwallowsItGoesOn) {
  Timeout limit = timeout(1s);
  co_await with(limit, [&]() -> Coroutine<> {
    auto result = co_await as_result(sleep(1h));
    EXPECT_TRUE(result.cancelled());
    EXPECT_EQ(current_task().cancelling(), 1);
    co_await sleep(1s);
  });
  EXPECT_TRUE(limit.expired());
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TimeoutTest, AnotherExceptionOfTheBodyPasses) {
  auto result = co_await as_result(with(timeout(1s), []() -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    throw ValueError("x");
  }));
  EXPECT_TRUE(result.get_if<ValueError>());
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TimeoutTest, EnteredWhileACancellationIsHandledConvertsItsOwn) {
  Task<bool> task = create_task([]() -> Coroutine<bool> {
    static_cast<void>(co_await as_result(sleep(1h)));
    auto result = co_await as_result(with(timeout(1s), nap(1h)));
    co_return result.get_if<TimeoutError>() != nullptr;
  });
  co_await sleep(1s);
  task.cancel();
  EXPECT_TRUE(co_await task);
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST(TimeoutTest, RescheduleMovesTheDeadline) {
  EventLoop& loop = get_running_loop();
  Timeout limit = timeout(1s);
  auto result = co_await as_result(with(limit, [&]() -> Coroutine<> {
    limit.reschedule(loop.time() + 3s);
    co_await sleep(2s);
    limit.reschedule(std::nullopt);
    EXPECT_EQ(limit.when(), std::nullopt);
    co_await sleep(10s);
    limit.reschedule(loop.time() - 1s);
    EXPECT_FALSE(limit.expired());
    co_await sleep(1h);
  }));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_EQ(elapsed(), 12s);
}

ASYNCIO_TEST(TimeoutTest, RescheduleTakesBackOneThatIsDue) {
  EventLoop& loop = get_running_loop();
  co_await with(timeout(0s), [&](Timeout& limit) -> Coroutine<> {
    limit.reschedule(loop.time() + 10s);
    co_await sleep(1s);
  });
}

ASYNCIO_TEST(TimeoutTest, ServesOnce) {
  Timeout limit = timeout(1s);
  try {
    limit.reschedule(std::nullopt);
    ADD_FAILURE();
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "Timeout has not been entered");
  }
  co_await with(limit, nap(0s));
  try {
    limit.reschedule(std::nullopt);
    ADD_FAILURE();
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "Cannot change state of finished Timeout");
  }
  auto again = co_await as_result(with(limit, nap(0s)));
  EXPECT_EQ(exception_message(again.exception()),
            "Timeout has already been entered");
}

ASYNCIO_TEST(TimeoutTest, DueInTheTurnInWhichItsBodyEnds) {
  Task<> task = create_task(with(timeout(1s), [&]() -> Coroutine<> {
    co_await sleep(0s);
    clock().advance(1min);
  }));
  co_await task;
  co_await sleep(1s);
}

ASYNCIO_TEST(TimeoutTest, AtAMoment) {
  const TimePoint when = get_running_loop().time() + 3s;
  EXPECT_EQ(timeout_at(when).when(), when);
  auto result = co_await as_result(with(timeout_at(when), nap(1h)));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_EQ(elapsed(), 3s);
}

ASYNCIO_TEST(TimeoutTest, AnInfiniteOneNeverFires) {
  co_await with(timeout(Duration::infinite()), nap(1000h));
  co_await with(timeout(std::nullopt), nap(1000h));
}

}  // namespace
}  // namespace asyncio
