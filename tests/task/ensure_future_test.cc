#include "asyncio/task/ensure_future.h"

#include <chrono>
#include <memory>
#include <type_traits>

#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n) { co_return n; }

ASYNCIO_TEST(EnsureFutureTest, GivesAFutureBack) {
  Future<int> future = create_future<int>();
  EXPECT_EQ(ensure_future(future), future);
  Task<int> task = create_task(give(1));
  EXPECT_EQ(ensure_future(task), task);
  EXPECT_EQ(ensure_future(AnyTask(task)), AnyFuture(task));
  co_await task;
}

ASYNCIO_TEST(EnsureFutureTest, MakesATaskOfTheRest) {
  Future<int> future = ensure_future(give(2));
  EXPECT_FALSE(future.done());
  EXPECT_EQ(co_await future, 2);
  co_await ensure_future(sleep(1s));
  EXPECT_EQ(co_await ensure_future([] { return give(3); }), 3);
}

TEST(EnsureFutureLoopTest, NeedsARunningLoop) {
  EXPECT_THROW(ensure_future(give(1)), RuntimeError);
}

}  // namespace
}  // namespace asyncio
