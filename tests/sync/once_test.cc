#include "asyncio/sync/once.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

class OnceCellTest : public AsyncTest {
 protected:
  // Initialises with `n`, or waits.
  Coroutine<int> use(int n) {
    auto make = [this, n]() -> Coroutine<int> {
      log += std::to_string(n);
      co_await sleep(1s);
      if (n < 0) throw ValueError("no value");
      co_return n;
    };
    const int got = co_await cell.get_or_init(make);
    log += '=' + std::to_string(got);
    co_return got;
  }

  OnceCell<int> cell;
  std::string log;
};

ASYNCIO_TEST_F(OnceCellTest, TheFirstInitialisesForAll) {
  auto a = create_task(use(1));
  auto b = create_task(use(2));
  auto c = create_task(use(3));
  co_await turns();
  EXPECT_EQ(cell.get(), nullptr);
  EXPECT_EQ(co_await c, 1);
  EXPECT_EQ(log, "1=1=1=1");
  EXPECT_EQ(elapsed(), 1s);
  CO_ASSERT_NE(cell.get(), nullptr);
  EXPECT_EQ(*cell.get(), 1);
}

ASYNCIO_TEST_F(OnceCellTest, OfAValueThatIsThereItTakesNoTurn) {
  EXPECT_TRUE(cell.set(7));
  EXPECT_FALSE(cell.set(8));
  bool turned = false;
  get_running_loop().call_soon([&] { turned = true; });
  int& value = co_await cell.get_or_init([] { return 9; });
  EXPECT_EQ(value, 7);
  EXPECT_EQ(&value, cell.get());
  EXPECT_FALSE(turned);
  co_await turns();
}

ASYNCIO_TEST_F(OnceCellTest, ThePlainFunctionNeedsNoTurnEither) {
  OnceCell<std::unique_ptr<int>> movable;
  auto& value =
      co_await movable.get_or_init([] { return std::make_unique<int>(5); });
  EXPECT_EQ(*value, 5);
}

ASYNCIO_TEST_F(OnceCellTest, AfterAnExceptionTheNextRunsItsOwn) {
  auto a = create_task(use(-1));
  auto b = create_task(use(2));
  auto c = create_task(use(3));
  EXPECT_EQ(co_await ending(a), "ValueError");
  EXPECT_EQ(co_await c, 2);
  EXPECT_EQ(log, "-12=2=2");
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST_F(OnceCellTest, AfterACancellationTheNextRunsItsOwn) {
  auto a = create_task(use(1));
  auto b = create_task(use(2));
  auto c = create_task(use(3));
  co_await turns();
  a.cancel();
  b.cancel();
  EXPECT_EQ(co_await c, 3);
  EXPECT_TRUE(a.cancelled());
  EXPECT_TRUE(b.cancelled());
}

ASYNCIO_TEST_F(OnceCellTest, WhoseTurnItIsIsNotOvertaken) {
  auto a = create_task(use(-1));
  auto b = create_task(use(2));
  EXPECT_EQ(co_await ending(a), "ValueError");
  // b was woken in the turn in which a ended, and runs by now.
  EXPECT_EQ(co_await use(3), 2);
}

ASYNCIO_TEST_F(OnceCellTest, IsNotSetWhileItIsInitialised) {
  auto a = create_task(use(1));
  co_await turns();
  EXPECT_FALSE(cell.set(5));
  EXPECT_EQ(co_await a, 1);
}

ASYNCIO_TEST_F(OnceCellTest, AskedForByItsOwnInitialiser) {
  auto again = [&]() -> Coroutine<int> {
    co_return co_await cell.get_or_init([] { return 1; });
  };
  std::string message;
  try {
    co_await cell.get_or_init(again);
  } catch (const RuntimeError& e) {
    message = e.what();
  }
  EXPECT_EQ(message, "OnceCell is being initialized by this very task");
  EXPECT_EQ(co_await cell.get_or_init([] { return 2; }), 2);
}

ASYNCIO_TEST_F(OnceCellTest, DestroyedWithWaitersLetsGoOfThem) {
  auto dying = std::make_unique<OnceCell<int>>();
  // The cell goes when the next was woken and has not run.
  auto fails = [&]() -> Coroutine<int> {
    co_await sleep(1s);
    get_running_loop().call_soon([&] { dying.reset(); });
    throw ValueError("no value");
  };
  auto first = create_task(dying->get_or_init(fails));
  auto woken = create_task(dying->get_or_init(fails));
  auto waiting = create_task(dying->get_or_init(fails));
  EXPECT_EQ(co_await ending(first), "ValueError");
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
  EXPECT_FALSE(waiting.done());
  waiting.cancel();
  EXPECT_EQ(co_await ending(waiting), "CancelledError");
}

ASYNCIO_TEST_F(OnceCellTest, DestroyedWhileItIsInitialised) {
  auto dying = std::make_unique<OnceCell<int>>();
  auto slow = []() -> Coroutine<int> {
    co_await sleep(1s);
    co_return 1;
  };
  auto first = create_task(dying->get_or_init(slow));
  co_await turns();
  dying.reset();
  EXPECT_EQ(co_await ending(first), "RuntimeError");
}

TEST(OnceCellCancelTest, TheValueIsMadeWhoeverIsCancelled) {
  const int rounds = cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    OnceCell<int> cell;
    int made = 0;
    auto make = [&]() -> Coroutine<int> {
      co_await sleep(1s);
      co_return ++made;
    };
    scene.start([&]() -> Coroutine<> { co_await cell.get_or_init(make); });
    Task<int> other = create_task(cell.get_or_init(make));
    EXPECT_EQ(co_await other, 1);
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(made, 1);
  });
  EXPECT_GT(rounds, 2);
}

TEST(OnceCellCancelTest, AWaiterThatIsCancelledPassesItsTurnOn) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    OnceCell<int> cell;
    auto fails = []() -> Coroutine<int> {
      co_await sleep(1s);
      throw ValueError("no value");
    };
    Task<std::string> first = create_task(ending(cell.get_or_init(fails)));
    co_await sleep(0s);
    scene.start([&]() -> Coroutine<> {
      co_await cell.get_or_init([] { return 2; });
    });
    co_await sleep(0s);
    Task<int> last = create_task(cell.get_or_init([] { return 3; }));
    EXPECT_EQ(co_await first, "ValueError");
    const int got = co_await last;
    auto end = co_await scene.ended();
    EXPECT_EQ(got, end.cancelled() ? 3 : 2);
  });
}

TEST(OnceTest, RunsOneCallable) {
  Once once;
  std::string log;
  auto add = [&](char c) { return [&log, c] { log += c; }; };
  run([&]() -> Coroutine<> {
    auto a = add('a');
    auto b = add('b');
    EXPECT_FALSE(once.done());
    co_await once.call(a);
    co_await once.call(b);
    EXPECT_TRUE(once.done());
  });
  EXPECT_EQ(log, "a");
}

TEST(OnceTest, WaitsForTheOneThatRuns) {
  Once once;
  int runs = 0;
  auto work = [&]() -> Coroutine<int> {
    co_await turns(3);
    co_return ++runs;
  };
  run([&]() -> Coroutine<> {
    auto first = create_task(once.call(work));
    auto second = create_task(once.call(work));
    co_await second;
    EXPECT_TRUE(first.done());
  });
  EXPECT_EQ(runs, 1);
}

TEST(OnceTest, BelongsToTheFirstLoopThatWaits) {
  Once once;
  auto work = [&]() -> Coroutine<> { co_await turns(3); };
  run([&]() -> Coroutine<> {
    auto first = create_task(once.call(work));
    auto second = create_task(once.call(work));
    co_await turns();
    first.cancel();
    second.cancel();
  });
  EXPECT_FALSE(once.done());
  run(once.call(work));
  EXPECT_TRUE(once.done());
}

}  // namespace
}  // namespace asyncio
