#include "asyncio/task/gather.h"

#include <chrono>
#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n, Duration delay = 0s) {
  co_await sleep(delay);
  co_return n;
}
Coroutine<int> fail(std::string text, Duration delay = 0s) {
  co_await sleep(delay);
  throw ValueError(text);
}
Coroutine<std::unique_ptr<int>> give_unique(int n) {
  co_return std::make_unique<int>(n);
}
// Refuses to be cancelled.
Coroutine<int> refuse(int n) {
  static_cast<void>(co_await as_result(sleep(1h)));
  co_return n;
}

ASYNCIO_TEST(GatherTest, GivesResultsInTheOrderOfTheArguments) {
  auto [a, b, c] = co_await gather(give(1, 3s), give(2, 1s), sleep(2s));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 2);
  EXPECT_EQ(elapsed(), 3s);
}

ASYNCIO_TEST(GatherTest, RunsCallablesAndKeepsThem) {
  const std::string text(100, 'x');
  auto call = [text]() -> Coroutine<size_t> {
    co_await sleep(1s);
    co_return text.size();
  };
  auto [size] = co_await gather(std::move(call));
  EXPECT_EQ(size, 100u);
}

ASYNCIO_TEST(GatherTest, OfNothingIsDoneAtOnce) {
  EXPECT_TRUE(gather().done());
  std::vector<Task<int>> none;
  Future<std::vector<int>> all = gather(none);
  EXPECT_TRUE(all.done());
  EXPECT_EQ(all.result().size(), 0u);
  co_return;
}

ASYNCIO_TEST(GatherTest, ARangeGivesAVector) {
  std::vector<Coroutine<int>> work;
  for (int i = 0; i < 3; ++i) work.push_back(give(i, (3 - i) * 1s));
  const std::vector<int> all = co_await gather(std::move(work));
  EXPECT_EQ(all, (std::vector<int>{0, 1, 2}));
}

ASYNCIO_TEST(GatherTest, ResultsThatCannotBeCopiedAreMoved) {
  auto [one] = co_await gather(give_unique(1));
  EXPECT_EQ(*one, 1);
  std::vector<Task<std::unique_ptr<int>>> tasks;
  tasks.push_back(create_task(give_unique(2)));
  std::vector<std::unique_ptr<int>> all = co_await gather(std::move(tasks));
  EXPECT_EQ(*all.at(0), 2);
}

ASYNCIO_TEST(GatherTest, LeavesTheResultToWhoeverStillHoldsTheTask) {
  Task<std::string> task = create_task(sleep(0s, std::string("text")));
  auto [first, second] = co_await gather(task, Task<std::string>(task));
  EXPECT_EQ(first, "text");
  EXPECT_EQ(second, "text");
  EXPECT_EQ(task.result(), "text");
}

ASYNCIO_TEST(GatherTest, ARangeOfAnyTasksGivesNoValue) {
  std::vector<AnyTask> tasks = {create_task(give(1)), create_task(sleep(2s))};
  static_assert(std::is_same_v<decltype(gather(tasks)), Future<void>>);
  co_await gather(tasks);
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST(GatherTest, TheSameTaskFillsEveryPlace) {
  Task<int> task = create_task(give(7));
  auto [a, b] = co_await gather(task, task);
  EXPECT_EQ(a + b, 14);
}

ASYNCIO_TEST(GatherTest, TheFirstErrorIsPassedOnAndTheOthersGoOn) {
  Task<int> slow = create_task(give(1, 5s));
  Task<int> late = create_task(fail("late", 3s));
  auto result = co_await as_result(gather(slow, fail("first", 1s), late));
  EXPECT_EQ(exception_message(result.exception()), "first");
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(co_await slow, 1);
  late = {};  // and what it threw is not reported
}

ASYNCIO_TEST(GatherTest, ReturnExceptionsPutsThemInTheirPlaces) {
  Task<> cancelled = create_task(sleep(1h));
  cancelled.cancel("gone");
  auto [a, b, c] =
      co_await gather(return_exceptions, give(1), fail("x"), cancelled);
  EXPECT_EQ(a.value(), 1);
  EXPECT_EQ(exception_message(b.exception()), "x");
  EXPECT_EQ(c.get_if<CancelledError>()->message(), "gone");
}

// Golden probe 3.
ASYNCIO_TEST(GatherTest, CancelledButNotCancelledWhereChildrenRefuse) {
  auto all = gather(return_exceptions, refuse(1), refuse(2));
  co_await sleep(0s);
  EXPECT_TRUE(all.cancel());
  EXPECT_FALSE(all.done());
  auto result = co_await as_result(all);
  EXPECT_TRUE(result.cancelled());
  EXPECT_FALSE(all.cancelled());
}

// Golden probe 5.
ASYNCIO_TEST(GatherTest, ACancelledChildIsAnErrorLikeAnyOther) {
  Task<> child = create_task(sleep(1h));
  Task<> sibling = create_task(sleep(2s));
  auto all = gather(child, sibling);
  child.cancel("enough");
  auto result = co_await as_result(all);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "enough");
  EXPECT_EQ(current_task().cancelling(), 0);
  EXPECT_FALSE(sibling.done());
  co_await sibling;
}

ASYNCIO_TEST(GatherTest, CancellingTheAwaiterCancelsTheChildren) {
  Task<> a = create_task(sleep(1h));
  Task<> b = create_task(sleep(1h));
  Task<> parent = create_task([&]() -> Coroutine<> { co_await gather(a, b); });
  co_await sleep(1s);
  parent.cancel("stop");
  auto result = co_await as_result(parent);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "stop");
  EXPECT_TRUE(a.cancelled() && b.cancelled());
}

ASYNCIO_TEST(GatherTest, CancelledItTakesTheErrorsOfItsChildren) {
  int reports = 0;
  get_running_loop().set_exception_handler(
      [&](EventLoop&, const ExceptionContext&) { ++reports; });
  auto fail_late = []() -> Coroutine<int> {
    static_cast<void>(co_await as_result(sleep(1h)));
    throw ValueError("late");
  };
  auto all = gather(return_exceptions, fail_late(), sleep(1h));
  co_await sleep(0s);
  all.cancel();
  const auto ended = co_await as_result(std::move(all));
  EXPECT_TRUE(ended.cancelled());
  co_await sleep(0s);
  EXPECT_EQ(reports, 0);
}

// Who ends last does not matter.
ASYNCIO_TEST(GatherTest, CancelledItEndsWithTheTextOfItsLastArgument) {
  auto child = [](const char* text, Duration cleanup) -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    co_await sleep(cleanup);
    if (text != nullptr) throw CancelledError(text);
  };
  auto text_of = [&](auto first, auto second) -> Coroutine<std::string> {
    auto all = gather(return_exceptions, std::move(first), std::move(second));
    co_await sleep(0s);
    all.cancel("enough");
    const auto ended = co_await as_result(std::move(all));
    co_return ended.cancelled() ? ended.template get_if<CancelledError>()->message()
                                : "not cancelled";
  };
  EXPECT_EQ(co_await text_of(child("a", 3s), child("b", 0s)), "b");
  EXPECT_EQ(co_await text_of(child("a", 0s), child("b", 3s)), "b");
  EXPECT_EQ(co_await text_of(child("a", 3s), child(nullptr, 0s)), "");
  EXPECT_EQ(co_await text_of(child(nullptr, 3s), child("b", 0s)), "b");
  EXPECT_EQ(co_await text_of(child(nullptr, 0s), sleep(1h)), "enough");
}

ASYNCIO_TEST(GatherTest, CancellingADoneOneTouchesNobody) {
  Task<> sibling = create_task(sleep(1s));
  auto all = gather(fail("x"), sibling);
  static_cast<void>(co_await as_result(all));
  EXPECT_FALSE(all.cancel());
  co_await sibling;
}

ASYNCIO_TEST(GatherTest, IsDoneOneTurnAfterItsLastChild) {
  Future<> child = create_future<>();
  auto all = gather(child);
  std::string log;
  child.add_done_callback([&] { log += all.done() ? "late " : "child "; });
  all.add_done_callback([&] { log += "all"; });
  child.set_result();
  EXPECT_FALSE(all.done());
  co_await sleep(0s);
  EXPECT_EQ(log, "late ");  // the gather's callback was there first
  co_await sleep(0s);
  EXPECT_EQ(log, "late all");
}

ASYNCIO_TEST(GatherTest, ADroppedOneStillTakesTheErrors) {
  static_cast<void>(gather(fail("lost"), fail("too")));
  co_await sleep(1s);
  auto reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message,
            "_GatheringFuture exception was never retrieved");
  EXPECT_EQ(exception_message(reports[0].exception), "lost");
}

ASYNCIO_TEST(GatherTest, ItsCallbackRunsAlthoughTheHandleIsGone) {
  Future<int> a = create_future<int>();
  Future<int> b = create_future<int>();
  int sum = 0;
  gather(a, b).add_done_callback([&](Future<std::tuple<int, int>> all) {
    sum = std::get<0>(all.result()) + std::get<1>(all.result());
  });
  a.set_result(1);
  co_await sleep(1s);
  b.set_result(2);
  co_await sleep(1s);
  EXPECT_EQ(sum, 3);
}

ASYNCIO_TEST(GatherTest, OfFuturesThatNobodyCanResolveCanBeCancelled) {
  auto all = gather(create_future<>(), create_future<>());
  EXPECT_TRUE(all.cancel());
  EXPECT_TRUE((co_await as_result(all)).cancelled());
  static_cast<void>(gather(create_future<>()));  // and dropped
}

ASYNCIO_TEST(GatherTest, RefusesANullHandle) {
  EXPECT_THROW(gather(Task<int>()), TypeError);
  EXPECT_THROW(gather(give(1), Task<int>()), TypeError);
  co_await sleep(1s);
}

ASYNCIO_TEST(GatherTest, RefusesAFutureOfAnotherLoop) {
  auto other = new_event_loop();
  Future<> here = create_future<>();
  Future<> there = create_future<>(*other);
  EXPECT_THROW(gather(here, there), ValueError);
  // What becomes of the first is nobody's business any more.
  here.cancel();
  co_await sleep(0s);
}

ASYNCIO_TEST(GatherTest, OfTasksThatEndedAtOnceIsDone) {
  set_task_factory(get_running_loop(), eager_task_factory);
  auto quick = [](int n) -> Coroutine<int> { co_return n; };
  auto all = gather(quick(1), quick(2));
  CO_ASSERT_TRUE(all.done());
  EXPECT_EQ(std::get<1>(all.result()), 2);
}

ASYNCIO_TEST(GatherTest, OfALargeRange) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10'000; ++i) tasks.push_back(create_task(give(i)));
  std::vector<int> all = co_await gather(tasks);
  EXPECT_EQ(all.size(), 10'000u);
  EXPECT_EQ(all.back(), 9'999);
}

TEST(GatherLoopTest, DiesWithItsLoop) {
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  Future<std::tuple<int, int>> all;
  loop->call_soon([&] {
    all = gather(give(1, 1h), give(2, 1h));
    loop->stop();
  });
  loop->run_forever();
  loop = nullptr;
  EXPECT_FALSE(all.done());
}

// All its children are done, and it has not been told yet: there is nothing to
// cancel but the task that awaits it.
ASYNCIO_TEST(GatherTest, ACancellationThatItRefusesEndsItsAwait) {
  Task<> child = create_task(sleep(0s));
  Task<std::string> waiter;
  child.add_done_callback([&] { EXPECT_TRUE(waiter.cancel("now")); });
  auto wait_for_all = [&]() -> Coroutine<std::string> {
    auto all = gather(return_exceptions, child);
    Result<std::tuple<Result<>>> end = co_await as_result(all);
    EXPECT_TRUE(all.done());
    EXPECT_FALSE(all.cancelled());
    co_return exception_name(end.exception()) + " " +
        exception_message(end.exception());
  };
  waiter = create_task(wait_for_all());
  EXPECT_EQ(co_await waiter, "CancelledError now");
  EXPECT_EQ(waiter.cancelling(), 1);
}

// The same, taken back before the gather is done.
ASYNCIO_TEST(GatherTest, ACancellationThatItRefusesCanBeTakenBack) {
  Task<> child = create_task(sleep(0s));
  Task<bool> waiter;
  child.add_done_callback([&] {
    EXPECT_TRUE(waiter.cancel());
    EXPECT_EQ(AnyTask(waiter).uncancel(), 0);
  });
  auto wait_for_all = [&]() -> Coroutine<bool> {
    Result<std::tuple<Result<>>> end =
        co_await as_result(gather(return_exceptions, child));
    co_return end.has_value();
  };
  waiter = create_task(wait_for_all());
  EXPECT_TRUE(co_await waiter);
}

// A view that makes its elements as it is walked is walked once.
ASYNCIO_TEST(GatherTest, OfAViewMakesEachElementOnce) {
  const std::vector<int> numbers = {1, 2, 3};
  int made = 0;
  auto tasks = numbers | std::views::transform([&made](int n) {
                 ++made;
                 return create_task(give(n));
               });
  EXPECT_EQ(co_await gather(tasks), numbers);
  EXPECT_EQ(made, 3);
  auto coroutines =
      numbers | std::views::transform([](int n) { return give(n); });
  EXPECT_EQ(co_await gather(coroutines), numbers);
  auto results = co_await gather(return_exceptions, coroutines);
  EXPECT_EQ(results.at(2).value(), 3);
}

}  // namespace
}  // namespace asyncio
