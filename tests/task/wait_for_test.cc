#include "asyncio/task/wait_for.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<std::string> swallow() {
  static_cast<void>(co_await as_result(sleep(1h)));
  co_return "v";
}

ASYNCIO_TEST(WaitForTest, GivesTheResultInTime) {
  EXPECT_EQ(co_await wait_for(sleep(1s, 5), 2s), 5);
  EXPECT_EQ(co_await wait_for(sleep(1s, 6), std::nullopt), 6);
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST(WaitForTest, CancelsAndThrowsTimeoutError) {
  Task<> task = create_task(sleep(1h));
  auto result = co_await as_result(wait_for(task, 1s));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(WaitForTest, ACoroutineRunsInTheCallersTask) {
  auto who = []() -> Coroutine<AnyTask> { co_return current_task(); };
  EXPECT_EQ(co_await wait_for(who(), 1s), current_task());
}

// Golden probe 4.
ASYNCIO_TEST(WaitForTest, GivesTheValueOfWhoSwallowsTheCancellation) {
  EXPECT_EQ(co_await wait_for(swallow(), 10ms), "v");
  EXPECT_EQ(co_await wait_for(create_task(swallow()), 10ms), "v");
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(WaitForTest, ThrowsWhatTheCleanUpThrows) {
  auto failing = []() -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    co_await sleep(3s);
    throw ValueError("x");
  };
  auto result = co_await as_result(wait_for(failing(), 1s));
  EXPECT_TRUE(result.get_if<ValueError>());
  EXPECT_EQ(elapsed(), 4s);
}

ASYNCIO_TEST(WaitForTest, ZeroGivesWhatIsThere) {
  Future<int> done = create_future<int>();
  done.set_result(3);
  EXPECT_EQ(co_await wait_for(done, 0s), 3);
  EXPECT_EQ(co_await wait_for(done, -1s), 3);
}

ASYNCIO_TEST(WaitForTest, ZeroNeverStartsACoroutine) {
  bool started = false;
  auto work = [&]() -> Coroutine<> {
    started = true;
    co_return;
  };
  auto result = co_await as_result(wait_for(work, 0s));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  EXPECT_FALSE(started);
}

ASYNCIO_TEST(WaitForTest, ZeroWaitsForTheCleanUp) {
  Task<std::string> task = create_task(swallow());
  co_await sleep(0s);
  EXPECT_EQ(co_await wait_for(task, 0s), "v");
}

ASYNCIO_TEST(WaitForTest, ZeroOfAGatherIsATimeoutToo) {
  auto all = gather(sleep(1h), sleep(1h));
  auto result = co_await as_result(wait_for(all, 0s));
  EXPECT_TRUE(result.get_if<TimeoutError>());
  // What was cancelled before is no timeout.
  auto before = co_await as_result(wait_for(all, 0s));
  EXPECT_TRUE(before.cancelled());
}

ASYNCIO_TEST(WaitForTest, ItsCancellationCancelsWhatItAwaits) {
  Task<> inner = create_task(sleep(1h));
  Task<> waiter = create_task(wait_for(inner, 1min));
  co_await sleep(1s);
  waiter.cancel("why");
  auto result = co_await as_result(waiter);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "why");
  EXPECT_TRUE(inner.cancelled());
}

ASYNCIO_TEST(WaitForTest, LeavesAShieldedTaskRunning) {
  Task<int> inner = create_task(sleep(2s, 1));
  for (const Duration limit : {Duration(0s), Duration(1s)}) {
    auto result = co_await as_result(wait_for(shield(inner), limit));
    EXPECT_TRUE(result.get_if<TimeoutError>());
  }
  EXPECT_EQ(co_await inner, 1);
}

ASYNCIO_TEST(WaitForTest, MovesAResultThatCannotBeCopied) {
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(4);
  };
  EXPECT_EQ(*co_await wait_for(make(), 1s), 4);
  EXPECT_EQ(*co_await wait_for(create_task(make()), 1s), 4);
}

ASYNCIO_TEST(WaitForTest, GivesAReference) {
  int n = 0;
  auto lend = [&]() -> Coroutine<int&> { co_return n; };
  Task<int&> task = create_task(lend());
  int& lent = co_await wait_for(task, 1s);
  EXPECT_EQ(&lent, &n);
  int& given = co_await wait_for(std::move(task), 1s);
  EXPECT_EQ(&given, &n);
}

ASYNCIO_TEST(WaitForTest, GivesWhatIsDoneWhateverItsLoop) {
  std::unique_ptr<EventLoop> other = new_event_loop();
  Future<int> f = create_future<int>(*other);
  auto early = co_await as_result(wait_for(f, 0s));
  EXPECT_TRUE(early.get_if<ValueError>());
  f.set_result(3);
  EXPECT_EQ(co_await wait_for(f, 0s), 3);
  EXPECT_EQ(co_await wait_for(f, 1s), 3);
}

ASYNCIO_TEST(WaitForTest, ANullHandleIsRefused) {
  for (const Duration limit : {Duration(0s), Duration(1s)}) {
    auto result = co_await as_result(wait_for(Future<int>(), limit));
    EXPECT_TRUE(result.get_if<TypeError>());
  }
}

ASYNCIO_TEST(WaitForTest, ALimitThatIsNoNumberIsRefused) {
  const std::chrono::duration<double> nan(
      std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(static_cast<void>(wait_for(sleep(1s), nan)), ValueError);
  co_return;
}

}  // namespace
}  // namespace asyncio
