#include "asyncio/sync/condition.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/lock.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<> wait_once(Condition& condition, std::string& log, char name) {
  auto held = co_await condition.scoped_acquire();
  co_await condition.wait();
  log += name;
}

Coroutine<> notify(Condition& condition, ptrdiff_t n = 1) {
  auto held = co_await condition.scoped_acquire();
  condition.notify(n);
}

ASYNCIO_TEST(ConditionTest, NeedsTheLock) {
  Condition condition;
  EXPECT_EQ(co_await ending(condition.wait()), "RuntimeError");
  EXPECT_THAT([&] { condition.notify(); },
              testing::ThrowsMessage<RuntimeError>(
                  "cannot notify on un-acquired lock"));
  EXPECT_THROW(condition.notify_all(), RuntimeError);
}

ASYNCIO_TEST(ConditionTest, NotifyWakesThoseWhoWaitedLongest) {
  Condition condition;
  std::string log;
  for (char c = 'a'; c <= 'd'; ++c) create_task(wait_once(condition, log, c));
  co_await turns();
  co_await notify(condition, 2);
  co_await turns(4);
  EXPECT_EQ(log, "ab");
  co_await notify(condition, -1);
  co_await turns(4);
  EXPECT_EQ(log, "ab");
  co_await notify(condition, 9);
  co_await turns(4);
  EXPECT_EQ(log, "abcd");
  EXPECT_FALSE(condition.locked());
}

ASYNCIO_TEST(ConditionTest, WaitForLooksAgain) {
  Condition condition;
  int value = 0;
  auto waiter = create_task([&]() -> Coroutine<int> {
    auto held = co_await condition.scoped_acquire();
    co_return co_await condition.wait_for([&] { return value; });
  });
  co_await turns();
  co_await notify(condition);
  co_await turns(3);
  EXPECT_FALSE(waiter.done());
  value = 7;
  co_await notify(condition);
  EXPECT_EQ(co_await waiter, 7);
}

ASYNCIO_TEST(ConditionTest, SharesALockThatIsGiven) {
  Lock lock;
  Condition a(&lock);
  Condition b(&lock);
  co_await a.acquire();
  EXPECT_TRUE(lock.locked());
  EXPECT_TRUE(b.locked());
  b.release();
  EXPECT_FALSE(lock.locked());
}

// Probe 14 of the semantics.
ASYNCIO_TEST(ConditionTest, CancelledTwiceItStillWaitsForTheLock) {
  Condition condition;
  std::string log;
  auto waiter = create_task(wait_once(condition, log, 'a'));
  co_await turns();
  co_await condition.acquire();
  waiter.cancel("first");
  co_await turns(2);
  waiter.cancel("second");
  co_await turns(2);
  EXPECT_FALSE(waiter.done());
  condition.release();
  auto result = co_await as_result(waiter);
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(exception_message(result.exception()), "second");
  EXPECT_FALSE(condition.locked());
}

ASYNCIO_TEST(ConditionTest, CancelledAfterItWasNotifiedNotifiesTheNext) {
  Condition condition;
  std::string log;
  auto a = create_task(wait_once(condition, log, 'a'));
  auto b = create_task(wait_once(condition, log, 'b'));
  co_await turns();
  co_await notify(condition);
  a.cancel();
  co_await turns(5);
  EXPECT_TRUE(a.cancelled());
  EXPECT_TRUE(b.done());
  EXPECT_EQ(log, "b");
}

ASYNCIO_TEST(ConditionTest, CancelledBeforeItWaits) {
  Condition condition;
  co_await condition.acquire();
  auto waiter = create_task(condition.wait());
  waiter.cancel();
  co_await turns();
  EXPECT_TRUE(waiter.cancelled());
  EXPECT_TRUE(condition.locked());
}

ASYNCIO_TEST(ConditionTest, DestroyedWithWaitersLetsGoOfThem) {
  auto condition = std::make_unique<Condition>();
  std::string log;
  auto waiting = create_task(wait_once(*condition, log, 'a'));
  auto other = create_task(wait_once(*condition, log, 'b'));
  co_await turns();
  condition.reset();
  waiting.cancel();
  EXPECT_EQ(co_await ending(waiting), "CancelledError");
  EXPECT_FALSE(other.done());
  other.cancel();
  co_await turns(2);
  EXPECT_EQ(log, "");
}

ASYNCIO_TEST(ConditionTest, DestroyedWhileAWaiterGetsTheLockBack) {
  auto condition = std::make_unique<Condition>();
  std::string log;
  auto waiter = create_task(wait_once(*condition, log, 'a'));
  auto failing = create_task(wait_once(*condition, log, 'b'));
  co_await turns();
  co_await condition->acquire();
  condition->notify(1);
  co_await turns(2);
  condition->release();  // a has a wake-up from the lock
  failing.cancel();
  condition.reset();
  EXPECT_EQ(co_await ending(waiter), "RuntimeError");
  EXPECT_EQ(co_await ending(failing), "CancelledError");
}

ASYNCIO_TEST(ConditionTest, DestroyedBeforeItsLockTheLockIsTakenBack) {
  Lock lock;
  auto condition = std::make_unique<Condition>(&lock);
  std::string log;
  auto waiter = create_task(wait_once(*condition, log, 'a'));
  co_await turns();
  co_await lock.acquire();
  condition.reset();
  waiter.cancel();
  co_await turns(2);
  EXPECT_FALSE(waiter.done());
  lock.release();
  EXPECT_EQ(co_await ending(waiter), "CancelledError");
  EXPECT_FALSE(lock.locked());
}

TEST(ConditionLoopTest, TasksLeftOverByRunMayOutliveIt) {
  Task<> left;
  run([&]() -> Coroutine<> {
    Condition condition;
    auto consume = [&]() -> Coroutine<> {
      auto held = co_await condition.scoped_acquire();
      co_await condition.wait_for([] { return false; });
    };
    left = create_task(consume());
    co_await turns(2);
  });
  EXPECT_TRUE(left.cancelled());
}

}  // namespace
}  // namespace asyncio
