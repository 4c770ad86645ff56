#include "asyncio/task/as_result.h"

#include <chrono>
#include <coroutine>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n) { co_return n; }
Coroutine<int> fail_later() {
  co_await sleep(1s);
  throw ValueError("later");
}

ASYNCIO_TEST(AsResultTest, GivesTheValue) {
  const Result<int> r = co_await as_result(give(3));
  CO_ASSERT_TRUE(r.has_value());
  EXPECT_EQ(*r, 3);
  EXPECT_EQ(r.exception(), nullptr);
}

ASYNCIO_TEST(AsResultTest, GivesTheExceptionInsteadOfThrowingIt) {
  const Result<int> r = co_await as_result(fail_later());
  EXPECT_FALSE(r);
  EXPECT_NE(r.get_if<ValueError>(), nullptr);
  EXPECT_FALSE(r.cancelled());
  EXPECT_THROW(r.value(), ValueError);
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST(AsResultTest, GivesAVoidAndAMoveOnlyAndAReference) {
  EXPECT_TRUE(co_await as_result(sleep(0s)));
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(4);
  };
  Result<std::unique_ptr<int>> made = co_await as_result(make());
  EXPECT_EQ(**made, 4);
  int n = 0;
  auto lend = [&]() -> Coroutine<int&> { co_return n; };
  Result<int&> lent = co_await as_result(lend());
  EXPECT_EQ(&*lent, &n);
  Task<int&> task = create_task(lend());
  Result<int&> kept = co_await as_result(task);
  EXPECT_EQ(&*kept, &n);
  Result<int&> given = co_await as_result(std::move(task));
  EXPECT_EQ(&*given, &n);
}

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw ValueError("copied"); }
  ThrowsWhenCopied(ThrowsWhenCopied&&) noexcept {}
};

ASYNCIO_TEST(AsResultTest, CatchesWhatACopyOfTheValueThrows) {
  Future<ThrowsWhenCopied> f = create_future<ThrowsWhenCopied>();
  f.set_result(ThrowsWhenCopied());
  const Result<ThrowsWhenCopied> r = co_await as_result(f);
  EXPECT_EQ(exception_message(r.exception()), "copied");
}

ASYNCIO_TEST(AsResultTest, TakesACallableAndKeepsIt) {
  auto shared = std::make_shared<int>(6);
  auto body = [shared]() -> Coroutine<int> {
    co_await sleep(1s);
    co_return *shared;
  };
  const Result<int> r = co_await as_result(std::move(body));
  EXPECT_EQ(*r, 6);
  EXPECT_EQ(shared.use_count(), 1);
}

ASYNCIO_TEST(AsResultTest, OfAFutureGivesItsEnd) {
  Future<int> f = create_future<int>();
  f.cancel("gone");
  const Result<int> r = co_await as_result(f);
  EXPECT_TRUE(r.cancelled());
  EXPECT_EQ(exception_message(r.exception()), "gone");
}

ASYNCIO_TEST(AsResultTest, CatchesTheCancellationOfTheWaitingTask) {
  auto body = []() -> Coroutine<std::string> {
    const Result<> r = co_await as_result(sleep(1h));
    co_return exception_message(r.exception());
  };
  Task<std::string> task = create_task(body);
  co_await sleep(0s);
  task.cancel("me");
  EXPECT_EQ(co_await task, "me");
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST(AsResultTest, OfACoroutineThatWasAwaitedGivesTheError) {
  Coroutine<int> c = give(1);
  co_await c;
  const Result<int> r = co_await as_result(std::move(c));
  EXPECT_EQ(exception_message(r.exception()),
            "cannot reuse already awaited coroutine");
}

struct ThrowsInSuspend {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<>) { throw ValueError("suspend"); }
  void await_resume() {}
};

ASYNCIO_TEST(AsResultTest, CatchesWhatAForeignAwaiterThrowsAsItSuspends) {
  const Result<> r = co_await as_result(ThrowsInSuspend());
  EXPECT_EQ(exception_message(r.exception()), "suspend");
  co_await sleep(1s);
  EXPECT_EQ(elapsed(), 1s);
}

}  // namespace
}  // namespace asyncio
