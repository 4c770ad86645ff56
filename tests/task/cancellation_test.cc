// The rules of cancellation, one by one: docs/task_states.md numbers them.
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/select.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

class CancellationTest : public AsyncTest {
 protected:
  // Sleeps, and notes how it was woken; passes the cancellation on.
  Coroutine<> nap(std::string name) {
    try {
      co_await sleep(1h);
      log_ += name + " woke;";
    } catch (const CancelledError& e) {
      log_ += name + " cancelled " + e.message() + ";";
      throw;
    }
  }

  std::string log_;
};

ASYNCIO_TEST_F(CancellationTest, BeforeTheFirstStepTheBodyNeverRuns) {
  auto shared = std::make_shared<int>(0);
  auto body = [this](std::shared_ptr<int>) -> Coroutine<> {
    log_ += "ran";
    co_return;
  };
  Task<> task = create_task(body(shared));
  EXPECT_TRUE(task.cancel("early"));
  EXPECT_FALSE(task.done());
  EXPECT_EQ(task.cancelling(), 1);
  const Result<> end = co_await as_result(task);
  EXPECT_EQ(exception_message(end.exception()), "early");
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log_, "");
  EXPECT_EQ(shared.use_count(), 1);
}

ASYNCIO_TEST_F(CancellationTest, IsOnlyARequestUntilTheNextTurn) {
  Task<> task = create_task(nap("a"));
  co_await sleep(0s);
  EXPECT_TRUE(task.cancel("stop"));
  EXPECT_FALSE(task.done());
  EXPECT_EQ(log_, "");
  co_await sleep(0s);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log_, "a cancelled stop;");
  EXPECT_FALSE(task.cancel());
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST_F(CancellationTest,
               SeveralBeforeDeliveryAreOneThrowAndAllCounted) {
  Task<> task = create_task(nap("a"));
  co_await sleep(0s);
  EXPECT_TRUE(task.cancel("first"));
  EXPECT_TRUE(task.cancel("second"));
  EXPECT_EQ(task.cancelling(), 2);
  static_cast<void>(co_await as_result(task));
  EXPECT_EQ(log_, "a cancelled first;");
}

ASYNCIO_TEST_F(CancellationTest, ASecondOneInterruptsTheCleanup) {
  auto body = [this]() -> Coroutine<int> {
    const Result<> first = co_await as_result(sleep(1h));
    log_ += first.cancelled() ? "1" : "?";
    const Result<> cleanup = co_await as_result(sleep(1h));
    log_ += cleanup.cancelled() ? "2" : "?";
    co_return current_task().cancelling();
  };
  Task<int> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  co_await sleep(0s);
  task.cancel();
  EXPECT_EQ(co_await task, 2);
  EXPECT_EQ(log_, "12");
  EXPECT_FALSE(task.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, CleanupMayAwait) {
  auto body = []() -> Coroutine<> {
    const Result<> end = co_await as_result(sleep(1h));
    co_await sleep(2s);
    end.rethrow();
  };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  EXPECT_THROW(co_await task, CancelledError);
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST_F(CancellationTest, SwallowedItLeavesAValueAndACount) {
  auto body = []() -> Coroutine<int> {
    static_cast<void>(co_await as_result(sleep(1h)));
    co_return 5;
  };
  Task<int> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  EXPECT_EQ(co_await task, 5);
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST_F(CancellationTest, OfItselfAndThenReturningLosesTheResult) {
  auto body = []() -> Coroutine<int> {
    current_task().cancel("self");
    co_return 12;
  };
  Task<int> task = create_task(body);
  const Result<int> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(exception_message(end.exception()), "self");
}

ASYNCIO_TEST_F(CancellationTest, OfItselfAndThenThrowingIsTheException) {
  auto body = []() -> Coroutine<int> {
    current_task().cancel();
    throw ValueError("instead");
    co_return 1;
  };
  Task<int> task = create_task(body);
  EXPECT_THROW(co_await task, ValueError);
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST_F(CancellationTest, OfItselfComesAtTheFirstRealSuspension) {
  Future<int> ready = create_future<int>();
  ready.set_result(1);
  auto inline_value = []() -> Coroutine<int> { co_return 2; };
  auto body = [&]() -> Coroutine<> {
    current_task().cancel();
    const int a = co_await ready;
    const int b = co_await inline_value();
    log_ += std::to_string(a) + std::to_string(b);
    co_await sleep(0s);
    log_ += "not reached";
  };
  Task<> task = create_task(body);
  EXPECT_THROW(co_await task, CancelledError);
  EXPECT_EQ(log_, "12");
}

ASYNCIO_TEST_F(CancellationTest, OfItselfReachesEveryKindOfWait) {
  Future<> never = create_future<>();
  auto naps = [&](int kind) -> Coroutine<> {
    current_task().cancel("now");
    if (kind == 0) co_await sleep(0s);
    if (kind == 1) co_await sleep(1h);
    if (kind == 2) co_await sleep(Duration::infinite());
    if (kind == 3) co_await never;
    log_ += "not reached";
  };
  for (int kind = 0; kind < 4; ++kind) {
    Task<> task = create_task(naps(kind));
    const Result<> end = co_await as_result(task);
    EXPECT_TRUE(end.cancelled()) << kind;
    EXPECT_EQ(exception_message(end.exception()), "now") << kind;
  }
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(never.cancelled());
  EXPECT_EQ(elapsed(), 0s);
}

ASYNCIO_TEST_F(CancellationTest, AnErrorDuringCleanupReplacesIt) {
  auto body = []() -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    throw ValueError("cleanup");
  };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  EXPECT_THROW(co_await task, ValueError);
  EXPECT_FALSE(task.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, ACancelledErrorOfItsOwnCancelsTheTask) {
  auto body = []() -> Coroutine<> {
    co_await sleep(0s);
    throw CancelledError("own");
  };
  Task<> task = create_task(body);
  const Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 0);
  EXPECT_EQ(exception_message(end.exception()), "own");
}

ASYNCIO_TEST_F(CancellationTest, AClassDerivedFromCancelledErrorIsKept) {
  struct Evicted : CancelledError {};
  auto evict = []() -> Coroutine<> {
    try {
      co_await sleep(1h);
    } catch (const CancelledError&) {
      throw Evicted();
    }
  };
  auto between = [&]() -> Coroutine<> { co_await evict(); };
  auto body = [&]() -> Coroutine<> { co_await between(); };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  const Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_NE(exception_cast<Evicted>(end.exception()), nullptr);
}

// So that a million tasks that were cancelled keep no exception each. A handler
// cannot write to what it catches.
static_assert(!std::is_copy_assignable_v<CancelledError>);
static_assert(!std::is_move_assignable_v<CancelledError>);
ASYNCIO_TEST_F(CancellationTest, WithoutATextIsTheSameForAll) {
  auto body = []() -> Coroutine<> { co_await sleep(1h); };
  std::exception_ptr first;
  for (const bool started : {true, true, false}) {
    Task<> task = create_task(body);
    if (started) co_await sleep(0s);
    task.cancel();
    const Result<> end = co_await as_result(task);
    EXPECT_TRUE(end.cancelled());
    if (first == nullptr) first = end.exception();
    EXPECT_EQ(end.exception(), first);
  }
}

ASYNCIO_TEST_F(CancellationTest, IsNotCaughtAsAStdException) {
  auto body = [this]() -> Coroutine<> {
    try {
      co_await sleep(1h);
    } catch (const std::exception&) {
      log_ += "swallowed";
    }
  };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  static_cast<void>(co_await as_result(task));
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(task.cancelled());
}

// --- Through futures and tasks.

ASYNCIO_TEST_F(CancellationTest, GoesToTheFutureThatIsAwaited) {
  Future<> f = create_future<>();
  auto body = [&]() -> Coroutine<> { co_await f; };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel("down");
  EXPECT_TRUE(f.cancelled());
  EXPECT_FALSE(task.done());
  const Result<> end = co_await as_result(task);
  EXPECT_EQ(exception_message(end.exception()), "down");
}

ASYNCIO_TEST_F(CancellationTest, OfAChainUnwindsFromTheInnermostOneATurnEach) {
  auto link = [this](std::string name, Task<> inner) -> Coroutine<> {
    try {
      co_await inner;
    } catch (const CancelledError& e) {
      log_ += name + " cancelled " + e.message() + ";";
      throw;
    }
  };
  Task<> t0 = create_task(nap("t0"));
  Task<> t1 = create_task(link("t1", t0));
  Task<> t2 = create_task(link("t2", t1));
  co_await sleep(0s);
  t2.cancel("top");
  EXPECT_EQ(t0.cancelling() + t1.cancelling() + t2.cancelling(), 3);
  co_await sleep(0s);
  EXPECT_EQ(log_, "t0 cancelled top;");
  co_await sleep(0s);
  EXPECT_EQ(log_, "t0 cancelled top;t1 cancelled top;");
  co_await sleep(0s);
  EXPECT_TRUE(t2.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, OfAChildDoesNotCountForWhoAwaitsIt) {
  Task<> child = create_task(nap("c"));
  auto body = [&]() -> Coroutine<int> {
    const Result<> end = co_await as_result(child);
    co_return end.cancelled() ? current_task().cancelling() : -1;
  };
  Task<int> parent = create_task(body);
  co_await sleep(0s);
  child.cancel();
  EXPECT_EQ(co_await parent, 0);
}

ASYNCIO_TEST_F(CancellationTest, OfFutureAndTaskInOneTurnIsDeliveredOnce) {
  Future<> f = create_future<>();
  auto body = [&]() -> Coroutine<int> {
    int deliveries = 0;
    deliveries += (co_await as_result(f)).cancelled();
    deliveries += (co_await as_result(sleep(0s))).cancelled();
    deliveries += (co_await as_result(sleep(0s))).cancelled();
    co_return deliveries;
  };
  Task<int> task = create_task(body);
  co_await sleep(0s);
  f.cancel("future");
  task.cancel("task");
  EXPECT_EQ(co_await task, 1);
}

ASYNCIO_TEST_F(CancellationTest, BetweenAResultAndTheWakeUpLosesTheResult) {
  Future<int> f = create_future<int>();
  auto body = [&]() -> Coroutine<> { co_await f; };
  Task<> task = create_task(body);
  co_await sleep(0s);
  f.set_result(1);
  EXPECT_TRUE(task.cancel("late"));
  const Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(exception_message(end.exception()), "late");
  EXPECT_EQ(f.result(), 1);
}

ASYNCIO_TEST_F(CancellationTest, BetweenAnErrorAndTheWakeUpIsDelivered) {
  Future<int> f = create_future<int>();
  auto body = [&]() -> Coroutine<> { co_await f; };
  Task<> task = create_task(body);
  co_await sleep(0s);
  f.set_exception(ValueError("v"));
  task.cancel();
  EXPECT_THROW(co_await task, CancelledError);
  EXPECT_EQ(exception_message(f.exception()), "v");
}

ASYNCIO_TEST_F(CancellationTest, CutsALongSleepShortAndItsTimerIsGone) {
  Task<> task = create_task(nap("a"));
  co_await sleep(1s);
  task.cancel();
  static_cast<void>(co_await as_result(task));
  EXPECT_EQ(elapsed(), 1s);
  co_await sleep(2h);
  EXPECT_EQ(log_, "a cancelled ;");
}

// The timer came due while the cancellation was on its way: its node must not
// be in the ready queue when the awaiting frame goes.
ASYNCIO_TEST_F(CancellationTest, OfASleepThatComesDueInTheSameTurn) {
  auto body = []() -> Coroutine<> { co_await sleep(1ms); };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  clock().advance(5ms);
  co_await sleep(0s);
  EXPECT_TRUE(task.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, OfASleepByATimerOfTheSameDeadline) {
  Task<> before;
  get_running_loop().call_later(1s, [&] { before.cancel(); });
  before = create_task(sleep(1s));
  Task<> after = create_task(sleep(1s));
  co_await sleep(0s);
  get_running_loop().call_later(1s, [&] { after.cancel(); });
  static_cast<void>(co_await as_result(before));
  static_cast<void>(co_await as_result(after));
  EXPECT_TRUE(before.cancelled());
  EXPECT_TRUE(after.cancelled());
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST_F(CancellationTest, OfTasksThatAwaitEachOtherBreaksTheRing) {
  Task<> a;
  Task<> b;
  Task<> c;
  auto wait_for_it = [](Task<>& other) -> Coroutine<> { co_await other; };
  a = create_task(wait_for_it(b));
  b = create_task(wait_for_it(c));
  c = create_task(wait_for_it(b));
  co_await sleep(0s);
  EXPECT_TRUE(a.cancel("enough"));
  static_cast<void>(co_await as_result(a));
  EXPECT_TRUE(a.cancelled() && b.cancelled() && c.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, OfTasksThatGatherEachOtherBreaksTheRing) {
  Task<> a;
  Task<> b;
  Task<> c;
  auto gather_them = [](Task<>& x, Task<>& y) -> Coroutine<> {
    co_await gather(x, y);
  };
  a = create_task(gather_them(b, c));
  b = create_task(gather_them(a, c));
  c = create_task(sleep(1h));
  co_await sleep(0s);
  EXPECT_TRUE(a.cancel("enough"));
  static_cast<void>(co_await as_result(a));
  static_cast<void>(co_await as_result(b));
  EXPECT_TRUE(a.cancelled() && b.cancelled() && c.cancelled());
}

// What is cancelled ends a select(), which cancels who is passing that on: no ring,
// so that its gather() waits for the clean-up all the same.
ASYNCIO_TEST_F(CancellationTest, OfOneWhoIsBeingCancelledBreaksNothing) {
  Future<> x = create_future<>();
  Task<> a;
  bool cleaned = false;
  auto select_both = [&]() -> Coroutine<> {
    static_cast<void>(co_await as_result(select(x, a)));
  };
  auto clean_up = [&]() -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    co_await sleep(1s);
    cleaned = true;
  };
  Task<> b = create_task(clean_up);
  auto gather_both = [&]() -> Coroutine<> {
    static_cast<void>(co_await as_result(gather(return_exceptions, x, b)));
    EXPECT_TRUE(cleaned);
  };
  a = create_task(gather_both);
  Task<> d = create_task(select_both);
  // The select is told of x before the gather is.
  Task<> early = create_task(select_both);
  co_await sleep(0s);
  a.cancel();
  co_await a;
  co_await d;
  co_await early;
}

TEST(CancellationOfALoopTest, ThatGoesEndsForARingToo) {
  struct CancelsAtItsEnd {
    ~CancelsAtItsEnd() { task.cancel(); }
    Task<>& task;
  };
  Task<> a;
  Task<> b;
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  auto wait_for_it = [](Task<>& other) -> Coroutine<> { co_await other; };
  auto cancel_at_end = [&]() -> Coroutine<> {
    const CancelsAtItsEnd end{a};
    co_await sleep(1h);
  };
  Task<> c = create_task(*loop, cancel_at_end());
  a = create_task(*loop, wait_for_it(b));
  b = create_task(*loop, wait_for_it(a));
  run_until_complete(*loop, sleep(0s));
  loop.reset();
  EXPECT_FALSE(a.done());
}

// --- The count.

ASYNCIO_TEST_F(CancellationTest, UncancelNeverGoesBelowZero) {
  EXPECT_EQ(current_task().uncancel(), 0);
  EXPECT_EQ(current_task().cancelling(), 0);
  co_return;
}

ASYNCIO_TEST_F(CancellationTest, UncancelToZeroWithdrawsWhatIsNotDelivered) {
  auto body = []() -> Coroutine<int> { co_return 1; };
  Task<int> task = create_task(body);
  task.cancel();
  EXPECT_EQ(task.uncancel(), 0);
  EXPECT_EQ(co_await task, 1);

  current_task().cancel();
  current_task().cancel();
  EXPECT_EQ(current_task().uncancel(), 1);
  EXPECT_EQ(current_task().uncancel(), 0);
  co_await sleep(0s);
}

ASYNCIO_TEST_F(CancellationTest, CountsAnyNumberOfRequests) {
  constexpr int kMany = 600;
  const AnyTask me = current_task();
  for (int i = 1; i <= kMany; ++i) {
    me.cancel();
    EXPECT_EQ(me.cancelling(), i);
  }
  for (int i = kMany - 1; i >= 0; --i) EXPECT_EQ(me.uncancel(), i);
  co_await sleep(0s);
}

ASYNCIO_TEST_F(CancellationTest, UncancelDoesNotUndoADeliveryUnderWay) {
  Task<> task = create_task(sleep(1h));
  co_await sleep(0s);
  task.cancel();
  EXPECT_EQ(task.uncancel(), 0);
  EXPECT_THROW(co_await task, CancelledError);
  EXPECT_EQ(task.cancelling(), 0);
}

// --- A request that meets a task which is ready, new or runs.

ASYNCIO_TEST_F(CancellationTest, UncancelWithdrawsFromATaskThatIsReady) {
  Future<int> future = create_future<int>();
  auto wait = [](Future<int>& f) -> Coroutine<int> { co_return co_await f; };
  Task<int> woken = create_task(wait(future));
  Task<> yielding = create_task(sleep(0s));
  co_await sleep(0s);
  future.set_result(7);
  woken.cancel("never seen");
  yielding.cancel("never seen");
  EXPECT_EQ(woken.uncancel(), 0);
  EXPECT_EQ(yielding.uncancel(), 0);
  EXPECT_EQ(co_await woken, 7);
  co_await yielding;
}

ASYNCIO_TEST_F(CancellationTest, AReadyTaskIsThrownAtOnceHoweverOftenAsked) {
  Future<int> future = create_future<int>();
  int caught = 0;
  auto wait = [](Future<int>& f, int& n) -> Coroutine<int> {
    try {
      co_await f;
    } catch (const CancelledError& e) {
      ++n;
      EXPECT_STREQ(e.what(), "second");
    }
    co_await sleep(0s);
    co_return 3;
  };
  Task<int> task = create_task(wait(future, caught));
  co_await sleep(0s);
  future.set_result(1);
  task.cancel("first");
  task.cancel("second");
  EXPECT_EQ(co_await task, 3);
  EXPECT_EQ(caught, 1);
}

ASYNCIO_TEST_F(CancellationTest, ANewTaskThatIsCancelledShowsItsCoroutine) {
  auto body = []() -> Coroutine<> { co_return; };
  Task<> task = create_task(body);
  task.cancel();
  task.cancel("again");
  EXPECT_EQ(task.get_stack().size(), 1u);
  EXPECT_NE(to_string(task).find("coro=<"), std::string::npos);
  Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_TRUE(task.get_stack().empty());
}

ASYNCIO_TEST_F(CancellationTest, ATaskCancelsItselfInItsFirstStep) {
  auto body = []() -> Coroutine<> {
    current_task().cancel("by myself");
    co_await sleep(0s);
  };
  Task<> task = create_task(body);
  Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
}

ASYNCIO_TEST_F(CancellationTest, AnEagerTaskCancelsTheOneThatMakesIt) {
  // What the maker waited in before is long gone.
  auto maker = []() -> Coroutine<> {
    co_await sleep(0s);
    AnyTask me = current_task();
    auto inner = [](AnyTask other) -> Coroutine<> {
      other.cancel("from inside");
      EXPECT_TRUE(other.get_stack().empty());
      co_return;
    };
    Task<> done = create_task(inner(me), {.eager_start = true});
    EXPECT_TRUE(done.done());
    co_await sleep(1h);
  };
  Task<> task = create_task(maker);
  Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(task.cancelling(), 1);
}

}  // namespace
}  // namespace asyncio
