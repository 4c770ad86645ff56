#include "asyncio/task/wait.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> fail_after(Duration delay) {
  co_await sleep(delay);
  throw ValueError("x");
}

ASYNCIO_TEST(WaitTest, ReturnsWhenAllAreDoneAndThrowsNothingOfThem) {
  Task<> slow = create_task(sleep(3s));
  Task<int> failing = create_task(fail_after(1s));
  Task<> cancelled = create_task(sleep(1h));
  cancelled.cancel();
  auto [done, pending] = co_await wait({slow, failing, cancelled});
  EXPECT_EQ(done.size(), 3u);
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(elapsed(), 3s);
  EXPECT_TRUE(failing.exception());
}

ASYNCIO_TEST(WaitTest, FirstCompletedLeavesTheRestRunning) {
  std::vector<Task<>> tasks;
  for (const Duration d : {3s, 1s, 2s}) tasks.push_back(create_task(sleep(d)));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  EXPECT_EQ(done, std::vector<Task<>>{tasks[1]});
  EXPECT_EQ(pending, (std::vector<Task<>>{tasks[0], tasks[2]}));
  EXPECT_EQ(elapsed(), 1s);
}

// What the loop's exception handler is told from here on.
std::string& reports() {
  static std::string text;
  text.clear();
  get_running_loop().set_exception_handler(
      [](EventLoop&, const ExceptionContext& context) {
        text += exception_message(context.exception) + "; ";
      });
  return text;
}

// As in Python: it has looked at the exceptions of all that end until it goes on.
ASYNCIO_TEST(WaitTest, FirstExceptionRetrievesThoseBesideIt) {
  const std::string& told = reports();
  {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 2; ++i) tasks.push_back(create_task(fail_after(1s)));
    tasks.push_back(create_task(fail_after(2s)));
    auto [done, pending] =
        co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
    EXPECT_EQ(done.size(), 2u);
    EXPECT_EQ(pending.size(), 1u);
    pending[0].cancel();
  }
  co_await sleep(0s);
  EXPECT_EQ(told, "");
}

ASYNCIO_TEST(WaitTest, FirstExceptionRetrievesWhatEndsAfterItsCancellation) {
  const std::string& told = reports();
  auto failed = create_future<int>();
  auto last = create_future<int>();
  auto wait_for_both = [&]() -> Coroutine<> {
    co_await wait({failed, last}, {.return_when = FIRST_EXCEPTION});
  };
  Task<> waiter = create_task(wait_for_both());
  co_await sleep(0s);
  waiter.cancel();
  failed.set_exception(std::make_exception_ptr(ValueError("a")));
  last.set_exception(std::make_exception_ptr(ValueError("b")));
  EXPECT_TRUE((co_await as_result(waiter)).cancelled());
  failed = create_future<int>();
  last = create_future<int>();
  EXPECT_EQ(told, "b; ");  // the last ends the wait, whatever it ended with
}

// Golden probe 12.
ASYNCIO_TEST(WaitTest, FirstExceptionDoesNotCountACancelledOne) {
  Task<> a = create_task(sleep(2s));
  Task<> b = create_task(sleep(1h));
  b.cancel();
  auto [done, pending] =
      co_await wait({a, b}, {.return_when = FIRST_EXCEPTION});
  EXPECT_EQ(done.size(), 2u);
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST(WaitTest, FirstExceptionReturnsAtAFailure) {
  Task<int> a = create_task(fail_after(1s));
  Task<> b = create_task(sleep(2s));
  auto [done, pending] =
      co_await wait({a, b}, {.return_when = FIRST_EXCEPTION});
  EXPECT_EQ(done, std::vector<AnyFuture>{a});
  EXPECT_EQ(pending, std::vector<AnyFuture>{b});
}

ASYNCIO_TEST(WaitTest, TheTimeLimitThrowsNothingAndCancelsNothing) {
  Task<> a = create_task(sleep(5s));
  auto [done, pending] = co_await wait({a}, {.timeout = 1s});
  EXPECT_TRUE(done.empty());
  EXPECT_EQ(pending.size(), 1u);
  EXPECT_EQ(elapsed(), 1s);
  auto now = co_await wait({a}, {.timeout = -1s});
  EXPECT_EQ(now.pending.size(), 1u);
  EXPECT_EQ(elapsed(), 1s);
  co_await a;
}

// Golden probe 13.
ASYNCIO_TEST(WaitTest, ItsCancellationLeavesTheTasksAlone) {
  Task<> child = create_task(sleep(2s));
  Task<> waiter = create_task([&]() -> Coroutine<> { co_await wait({child}); });
  co_await sleep(1s);
  waiter.cancel("why");
  auto result = co_await as_result(waiter);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "why");
  EXPECT_FALSE(child.done());
  co_await child;
}

ASYNCIO_TEST(WaitTest, TakesTwoTurnsAlsoWhereAllAreDone) {
  Future<> done = create_future<>();
  done.set_result();
  int turns = 0;
  auto count = [&]() -> Coroutine<> {
    while (true) {
      ++turns;
      co_await sleep(0s);
    }
  };
  Task<> counter = create_task(count());
  co_await wait({done});
  EXPECT_EQ(turns, 2);
  counter.cancel();
}

ASYNCIO_TEST(WaitTest, CountsADuplicateOnce) {
  Task<> a = create_task(sleep(1s));
  Task<> b = create_task(sleep(2s));
  auto [done, pending] = co_await wait({a, b, a}, {.timeout = 1500ms});
  EXPECT_EQ(done, std::vector<AnyFuture>{a});
  EXPECT_EQ(pending, std::vector<AnyFuture>{b});
  std::vector<Future<>> many(40, a);
  EXPECT_EQ((co_await wait(many)).done.size(), 1u);
  co_await b;
}

ASYNCIO_TEST(WaitTest, RefusesAnEmptyListWhenItIsAwaited) {
  std::vector<Task<int>> none;
  auto result = co_await as_result(wait(none));
  EXPECT_EQ(exception_message(result.exception()),
            "Set of Tasks/Futures is empty.");
  EXPECT_TRUE(result.get_if<ValueError>());
}

ASYNCIO_TEST(WaitTest, CanBeATaskOfItsOwn) {
  Task<> child = create_task(sleep(1s));
  Task<WaitResult<AnyFuture>> waiting = create_task(wait({child}));
  EXPECT_EQ((co_await waiting).done.size(), 1u);
}

ASYNCIO_TEST(WaitTest, DueTimeAndCompletionInOneTurn) {
  Task<> child = create_task(sleep(1s));
  Task<> waiter = create_task(
      [&]() -> Coroutine<> { co_await wait({child}, {.timeout = 1s}); });
  co_await sleep(1s);
  waiter.cancel();
  EXPECT_TRUE((co_await as_result(waiter)).cancelled());
}

ASYNCIO_TEST(WaitTest, CancelledInTheTurnBeforeItsTimeIsUp) {
  Task<> child = create_task(sleep(1h));
  Task<> waiter = create_task(
      [&]() -> Coroutine<> { co_await wait({child}, {.timeout = 10s}); });
  co_await sleep(1s);
  waiter.cancel();
  clock().advance(1min);
  EXPECT_TRUE((co_await as_result(waiter)).cancelled());
}

TEST(WaitLoopTest, AFutureThatIsResolvedWhileTheLoopGoesDoesNoHarm) {
  struct Resolve {
    explicit Resolve(Future<> f) : future(std::move(f)) {}
    ~Resolve() { future.set_result(); }
    Future<> future;
  };
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  loop->call_soon([&] {
    Future<> future = create_future<>();
    create_task([future]() -> Coroutine<> {
      Resolve resolve(future);
      co_await sleep(1h);
    });
    create_task([future]() -> Coroutine<> { co_await wait({future}); });
    loop->call_later(10ms, [&] { loop->stop(); });
  });
  loop->run_forever();
}

}  // namespace
}  // namespace asyncio
