#include "asyncio/sync/capacity_limiter.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CapacityLimiterTest : public AsyncTest {
 protected:
  Task<> start(std::string name) {
    TaskOptions options;
    options.name = name;
    return create_task(stay(name), options);
  }
  Coroutine<> stay(std::string name) {
    auto token = co_await limiter.scoped_acquire();
    log += name;
    co_await sleep(1s);
  }
  Coroutine<> take() { co_await limiter.acquire(); }

  // What fn() throws, as text.
  template <class E, class F>
  static std::string error(F fn) {
    try {
      fn();
    } catch (const E& e) {
      return e.what();
    }
    return "";
  }

  CapacityLimiter limiter{2};
  std::string log;
};

constexpr char kHolds[] =
    "this borrower is already holding one of this CapacityLimiter's tokens";
constexpr char kHoldsNot[] =
    "this borrower isn't holding any of this CapacityLimiter's tokens";

TEST(CapacityLimiterTotalTest, MustBePositive) {
  EXPECT_THROW(CapacityLimiter(0), ValueError);
  CapacityLimiter limiter(1);
  EXPECT_THROW(limiter.set_total_tokens(0), ValueError);
  EXPECT_EQ(limiter.total_tokens(), 1u);
  EXPECT_THROW(limiter.acquire_nowait(), RuntimeError);  // no task runs
}

ASYNCIO_TEST_F(CapacityLimiterTest, LetsSoManyInInOrder) {
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    tasks.push_back(start(name));
  }
  co_await turns();
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(limiter.available_tokens(), 0);
  EXPECT_EQ(limiter.describe(),
            "CapacityLimiter, 2 of 2 tokens borrowed by: a, b; waiting: c, d, e");
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "abcde");
  EXPECT_EQ(elapsed(), 3s);
  EXPECT_EQ(limiter.describe(),
            "CapacityLimiter, 0 of 2 tokens borrowed by: nobody; waiting: nobody");
}

ASYNCIO_TEST_F(CapacityLimiterTest, RefusesMisuse) {
  EXPECT_EQ(error<RuntimeError>([&] { limiter.release(); }), kHoldsNot);
  limiter.acquire_nowait();
  EXPECT_EQ(error<RuntimeError>([&] { limiter.acquire_nowait(); }), kHolds);
  EXPECT_EQ(co_await ending(limiter.acquire()), "RuntimeError");
  EXPECT_EQ(limiter.borrowed_tokens(), 1u);
  limiter.release();
  EXPECT_EQ(error<RuntimeError>([&] { limiter.release(); }), kHoldsNot);
}

ASYNCIO_TEST_F(CapacityLimiterTest, LendsOnBehalfOfAddresses) {
  int a, b, c;
  limiter.acquire_on_behalf_of_nowait(&a);
  co_await limiter.acquire_on_behalf_of(&b);
  EXPECT_THROW(limiter.acquire_on_behalf_of_nowait(&c), WouldBlock);
  EXPECT_EQ(error<RuntimeError>(
                [&] { limiter.acquire_on_behalf_of_nowait(&a); }),
            kHolds);
  EXPECT_EQ(error<RuntimeError>([&] { limiter.release_on_behalf_of(&c); }),
            kHoldsNot);
  auto one = create_task(limiter.acquire_on_behalf_of(&c));
  auto two = create_task(limiter.acquire_on_behalf_of(&c));
  co_await turns();
  limiter.release_on_behalf_of(&a);
  limiter.release_on_behalf_of(&b);
  co_await one;
  EXPECT_EQ(co_await ending(two), "RuntimeError");
  EXPECT_EQ(limiter.borrowed_tokens(), 1u);
  limiter.release_on_behalf_of(&c);
}

ASYNCIO_TEST_F(CapacityLimiterTest, RaisingTheTotalWakesWaiters) {
  std::vector<Task<>> tasks;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    tasks.push_back(start(name));
  }
  co_await turns();
  limiter.set_total_tokens(4);
  EXPECT_EQ(log, "ab");
  EXPECT_THAT(limiter.statistics().borrowers, ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(limiter.statistics().waiters, ElementsAre("e"));
  EXPECT_THROW(limiter.acquire_nowait(), WouldBlock);
  co_await turns();
  EXPECT_EQ(log, "abcd");
  limiter.set_total_tokens(1);
  EXPECT_EQ(limiter.available_tokens(), -3);
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(limiter.borrowed_tokens(), 0u);
}

ASYNCIO_TEST_F(CapacityLimiterTest, ATaskThatEndedIsStillNamed) {
  {
    TaskOptions options;
    options.name = "careless";
    co_await create_task(take(), options);
  }
  EXPECT_THAT(limiter.statistics().borrowers, ElementsAre("careless (ended)"));
  for (int i = 0; i < 10; ++i) {
    co_await create_task([&]() -> Coroutine<> {
      EXPECT_EQ(error<RuntimeError>([&] { limiter.release(); }), kHoldsNot);
      co_return;
    });
  }
  EXPECT_EQ(limiter.borrowed_tokens(), 1u);
}

ASYNCIO_TEST_F(CapacityLimiterTest, ATokenIsReturnedOnceAndByAnyTask) {
  auto token = co_await limiter.scoped_acquire();
  co_await create_task([&]() -> Coroutine<> {
    token.release();
    co_return;
  });
  EXPECT_FALSE(token);
  EXPECT_EQ(limiter.borrowed_tokens(), 0u);
  limiter.acquire_nowait();
  token.release();
  EXPECT_EQ(limiter.borrowed_tokens(), 1u);
  limiter.release();
}

ASYNCIO_TEST_F(CapacityLimiterTest, DestroyedWithWaitersLetsGoOfThem) {
  int a;
  auto dying = std::make_unique<CapacityLimiter>(1);
  dying->acquire_on_behalf_of_nowait(&a);
  auto woken = create_task(dying->acquire());
  auto waiting = create_task(dying->acquire());
  co_await turns();
  dying->release_on_behalf_of(&a);
  dying.reset();
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
  EXPECT_FALSE(waiting.done());
  waiting.cancel();
  EXPECT_EQ(co_await ending(waiting), "CancelledError");
}

// A frame that holds its own task, borrower or waiter, is no cycle that leaks.
TEST(CapacityLimiterLoopTest, LoopDestroyedWithBorrowersAndWaiters) {
  CapacityLimiter limiter(1);
  {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    auto borrow = [&limiter]() -> Coroutine<> {
      CapacityLimiter own(1);
      co_await own.acquire();
      auto token = co_await limiter.scoped_acquire();
      co_await sleep(1h);
    };
    create_task(*loop, borrow);
    create_task(*loop, borrow);
    run_until_complete(*loop, sleep(0s));
    EXPECT_EQ(limiter.statistics().waiters.size(), 1u);
  }
  EXPECT_EQ(limiter.borrowed_tokens(), 0u);
  run(with(limiter, [] { return sleep(0s); }));
}

TEST(CapacityLimiterCancelTest, ATokenGoesToTheNextInLine) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    CapacityLimiter limiter(1);
    co_await limiter.acquire();
    scene.start([&]() -> Coroutine<> {
      co_await with(limiter, [] { return sleep(1s); });
    });
    Task<> next = create_task([&]() -> Coroutine<> {
      auto token = co_await limiter.scoped_acquire();
    });
    co_await sleep(1s);
    limiter.release();
    co_await next;
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(limiter.borrowed_tokens(), 0u);
    EXPECT_THAT(limiter.statistics().waiters, IsEmpty());
  });
}

}  // namespace
}  // namespace asyncio
