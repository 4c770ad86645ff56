#include "asyncio/task/task.h"

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Coroutine<int> give(int n) {
  co_await sleep(0s);
  co_return n;
}

ASYNCIO_TEST(TaskTest, RunsFromTheLoopsNextTurnInTheOrderOfCreation) {
  std::string log;
  auto child = [&](char name) -> Coroutine<> {
    log += name;
    co_return;
  };
  Task<> a = create_task(child('a'));
  Task<> b = create_task(child('b'));
  EXPECT_EQ(log, "");
  co_await sleep(0s);
  EXPECT_EQ(log, "ab");
  EXPECT_TRUE(a.done() && b.done());
}

ASYNCIO_TEST(TaskTest, GivesItsResultToEveryAwait) {
  Task<int> task = create_task(give(3));
  EXPECT_EQ(co_await task, 3);
  EXPECT_EQ(co_await task, 3);
  EXPECT_EQ(task.result(), 3);
}

ASYNCIO_TEST(TaskTest, ALinkOfDoneTasksEndsInOneTurn) {
  auto leaf = []() -> Coroutine<int> { co_return 1; };
  auto link = [](Task<int> t) -> Coroutine<int> { co_return co_await t; };
  Task<int> t0 = create_task(leaf());
  Task<int> t1 = create_task(link(t0));
  Task<int> t2 = create_task(link(t1));
  co_await sleep(0s);
  EXPECT_TRUE(t0.done() && t1.done() && t2.done());
}

ASYNCIO_TEST(TaskTest, IsKeptAliveByTheLoopWithoutAnyHandle) {
  bool ended = false;
  {
    auto body = [&]() -> Coroutine<> {
      co_await sleep(1s);
      ended = true;
    };
    create_task(std::move(body));
  }
  co_await sleep(2s);
  EXPECT_TRUE(ended);
}

ASYNCIO_TEST(TaskTest, KeepsAMovedInCallableUntilItEnds) {
  auto shared = std::make_shared<int>(5);
  auto body = [shared]() -> Coroutine<int> {
    co_await sleep(1s);
    co_return *shared;
  };
  Task<int> task = create_task(std::move(body));
  EXPECT_EQ(co_await task, 5);
  EXPECT_EQ(shared.use_count(), 1);
}

ASYNCIO_TEST(TaskTest, IsMadeOfAnyAwaitable) {
  Task<> nap = create_task(sleep(1s));
  Task<int> value = create_task(sleep(2s, 7));
  co_await nap;
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(co_await value, 7);
}

ASYNCIO_TEST(TaskTest, StoresWhatItsCoroutineThrows) {
  auto body = []() -> Coroutine<int> {
    co_await sleep(0s);
    throw ValueError("bad");
  };
  Task<int> task = create_task(body());
  EXPECT_THROW(co_await task, ValueError);
  EXPECT_EQ(exception_message(task.exception()), "bad");
  EXPECT_FALSE(task.cancelled());
  EXPECT_EQ(
      to_string(task).find(" exception=ValueError('bad')") == std::string::npos,
      false);
}

// A result whose move throws must fail the task, not tear down the loop.
struct ThrowsWhenMoved {
  explicit ThrowsWhenMoved(int* moves_left) : moves_left(moves_left) {}
  ThrowsWhenMoved(ThrowsWhenMoved&& other) : moves_left(other.moves_left) {
    if ((*moves_left)-- == 0) throw ValueError("move");
  }
  int* moves_left;
};

ASYNCIO_TEST(TaskTest, FailsWhereItsResultCannotBeMoved) {
  for (int moves = 0; moves < 3; ++moves) {
    int moves_left = moves;
    auto body = [&]() -> Coroutine<ThrowsWhenMoved> {
      co_return ThrowsWhenMoved(&moves_left);
    };
    Task<ThrowsWhenMoved> task = create_task(body());
    co_await sleep(0s);
    CO_ASSERT_TRUE(task.done());
    if (moves_left < 0) {
      EXPECT_EQ(exception_message(task.exception()), "move");
    }
  }
}

ASYNCIO_TEST(TaskTest, ResultMovedOutOfATemporaryHandle) {
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(9);
  };
  std::unique_ptr<int> p = co_await create_task(make());
  EXPECT_EQ(*p, 9);
}

ASYNCIO_TEST(TaskTest, DoneCallbackIsGivenTheTaskInTheNextTurn) {
  Task<int> task = create_task(give(1));
  Task<int> seen;
  task.add_done_callback([&](Task<int> done) { seen = done; });
  co_await task;
  EXPECT_EQ(seen, task);
}

ASYNCIO_TEST(TaskTest, RefusesToBeResolvedFromOutside) {
  Task<int> task = create_task(give(1));
  const Future<int> future = task;
  std::string text;
  try {
    future.set_result(2);
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "Task does not support set_result operation");
  try {
    future.set_exception(ValueError("v"));
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "Task does not support set_exception operation");
  EXPECT_EQ(co_await task, 1);
  // Also where it is done.
  try {
    future.set_result(2);
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "Task does not support set_result operation");
}

ASYNCIO_TEST(TaskTest, AwaitingItselfIsAnError) {
  Task<> self;
  std::string text;
  auto body = [&]() -> Coroutine<> {
    try {
      co_await self;
    } catch (const RuntimeError& e) {
      text = e.what();
    }
  };
  self = create_task(body());
  co_await self;
  EXPECT_THAT(text, StartsWith("Task cannot await on itself: <Task pending"));
}

ASYNCIO_TEST(TaskTest, HasADefaultNameThatCountsUp) {
  Task<int> a = create_task(give(1));
  Task<int> b = create_task(give(2), {.name = "worker"});
  EXPECT_THAT(a.get_name(), StartsWith("Task-"));
  EXPECT_EQ(b.get_name(), "worker");
  b.set_name("renamed");
  EXPECT_EQ(AnyTask(b).get_name(), "renamed");
  Task<int> c = create_task(give(3));
  EXPECT_EQ(std::stoi(c.get_name().substr(5)),
            std::stoi(a.get_name().substr(5)) + 1);
  co_await c;
}

ASYNCIO_TEST(TaskTest, CurrentTaskIsTheOneThatRunsAndNullInACallback) {
  const AnyTask me = current_task();
  AnyTask in_child;
  bool none_in_callback = false;
  auto child = [&]() -> Coroutine<> {
    co_await sleep(0s);
    in_child = current_task();
  };
  Task<> task = create_task(child);
  get_running_loop().call_soon([&] { none_in_callback = !current_task(); });
  co_await task;
  EXPECT_EQ(in_child, AnyTask(task));
  EXPECT_EQ(current_task(), me);
  EXPECT_TRUE(none_in_callback);
}

ASYNCIO_TEST(TaskTest, AllTasksAreTheUnfinishedOnesInTheOrderOfCreation) {
  Task<int> a = create_task(give(1));
  Task<> b = create_task(sleep(1s));
  const std::vector<AnyTask> before = {current_task(), AnyTask(a), AnyTask(b)};
  EXPECT_EQ(all_tasks(), before);
  co_await a;
  const std::vector<AnyTask> after = {current_task(), AnyTask(b)};
  EXPECT_EQ(all_tasks(), after);
}

ASYNCIO_TEST(TaskTest, IsShownWithTheReprOfItsNameAndOfItsException) {
  auto body = []() -> Coroutine<> {
    co_await sleep(0s);
    throw ValueError("it's\n");
  };
  Task<> task = create_task(body(), {.name = "n'm"});
  EXPECT_THROW(co_await task, ValueError);
  EXPECT_EQ(to_string(task),
            "<Task finished name=\"n'm\" exception=ValueError(\"it's\\n\")>");
}

ASYNCIO_TEST(TaskTest, IsShownWithTheNameOfTheFunctionThatMadeItsCoroutine) {
  Task<> task = create_task(wait_for(sleep(1s), 2s));
  EXPECT_THAT(to_string(task), HasSubstr(" coro=<wait_for()>"));
  co_await task;
}

Coroutine<> slow_answer() { co_await sleep(1s); }

ASYNCIO_TEST(TaskTest, OfACallableIsShownWithWhatThatGives) {
  Task<> task = create_task([] { return slow_answer(); });
  EXPECT_THAT(to_string(task), HasSubstr("ambda"));
  co_await sleep(0s);
  EXPECT_THAT(to_string(task), HasSubstr("slow_answer()>"));
  const std::vector<FrameSummary> stack = task.get_stack();
  CO_ASSERT_EQ(stack.size(), 1u);
  EXPECT_THAT(stack[0].function, HasSubstr("slow_answer"));
  co_await task;
}

ASYNCIO_TEST(TaskTest, OfAnAwaitableIsShownWithItsName) {
  Task<> task = create_task(sleep(1s));
  EXPECT_THAT(to_string(task), HasSubstr(" coro=<Sleep()>"));
  co_await sleep(0s);
  EXPECT_THAT(to_string(task), HasSubstr(" coro=<sleep()>"));
  co_await task;
}

TEST(TaskOfAnIdleLoopTest, ComesAfterWhatWasPostedBeforeIt) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::string log;
  auto note = [&](char name) { return [&log, name] { log += name; }; };
  auto body = [&]() -> Coroutine<> {
    log += 'b';
    co_return;
  };
  loop->call_soon_threadsafe(note('a'));
  Task<> task = create_task(*loop, body());
  loop->call_soon_threadsafe(note('c'));
  run_until_complete(*loop, task);
  EXPECT_EQ(log, "abc");
}

ASYNCIO_TEST(TaskTest, StackNamesEachSuspendedFrameOutermostFirst) {
  auto inner = []() -> Coroutine<> { co_await sleep(1s); };
  auto outer = [&]() -> Coroutine<> { co_await inner(); };
  Task<> task = create_task(outer());
  co_await sleep(0s);
  const std::vector<FrameSummary> stack = task.get_stack();
  CO_ASSERT_EQ(stack.size(), 2u);
  EXPECT_EQ(stack[0].line, stack[1].line + 1);
  EXPECT_THAT(stack[0].file, HasSubstr("task_test.cc"));
  std::ostringstream out;
  task.print_stack(out);
  EXPECT_THAT(out.str(), StartsWith("Stack for <Task pending name='"));
  EXPECT_THAT(to_string(task), HasSubstr("wait_for=<sleep>"));
  co_await task;
  EXPECT_TRUE(task.get_stack().empty());
  out.str("");
  task.print_stack(out);
  EXPECT_THAT(out.str(), StartsWith("No stack for <Task finished name='"));
}

ASYNCIO_TEST(TaskTest, EagerOneRunsToItsFirstSuspensionInsideCreateTask) {
  std::string log;
  auto child = [&]() -> Coroutine<> {
    log += current_task() != AnyTask() ? '1' : '?';
    co_await sleep(0s);
    log += '3';
  };
  const AnyTask me = current_task();
  Task<> task = create_task(child, {.eager_start = true});
  log += '2';
  EXPECT_EQ(current_task(), me);
  EXPECT_FALSE(task.done());
  co_await task;
  EXPECT_EQ(log, "123");
}

ASYNCIO_TEST(TaskTest,
             EagerOneThatEndsAtOnceIsDoneAndItsCallbacksAreScheduled) {
  auto child = []() -> Coroutine<int> { co_return 1; };
  Task<int> task = create_task(child, {.eager_start = true});
  CO_ASSERT_TRUE(task.done());
  bool called = false;
  task.add_done_callback([&] { called = true; });
  EXPECT_FALSE(called);
  co_await sleep(0s);
  EXPECT_TRUE(called);
  EXPECT_EQ(all_tasks().size(), 1u);
}

ASYNCIO_TEST(TaskTest, FactoryEditsTheOptionsOfEachNewTask) {
  EventLoop& loop = get_running_loop();
  set_task_factory(loop, eager_task_factory);
  auto child = []() -> Coroutine<int> { co_return 1; };
  EXPECT_TRUE(create_task(child).done());
  EXPECT_FALSE(create_task(child, {.eager_start = false}).done());
  set_task_factory(loop, nullptr);
  EXPECT_FALSE(create_task(child).done());
  co_return;
}

TEST(TaskWithoutLoopTest, NeedsARunningLoopAndClosesTheCoroutineElse) {
  auto shared = std::make_shared<int>(1);
  auto body = [](std::shared_ptr<int>) -> Coroutine<> { co_return; };
  std::string text;
  try {
    create_task(body(shared));
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "no running event loop");
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_THROW(current_task(), RuntimeError);
  EXPECT_THROW(all_tasks(), RuntimeError);
}

TEST(TaskWithoutLoopTest, AClosedLoopTakesNoneAndTheCoroutineIsClosed) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->close();
  auto shared = std::make_shared<int>(1);
  auto body = [](std::shared_ptr<int>) -> Coroutine<> { co_return; };
  std::string text;
  try {
    create_task(*loop, body(shared));
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "Event loop is closed");
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(TaskWithoutLoopTest, IsMadeForALoopByNameBeforeItRuns) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Task<int> task = create_task(*loop, give(4));
  EXPECT_EQ(run_until_complete(*loop, task), 4);
}

ASYNCIO_TEST(TaskTest, FromAWrongThreadItIsRefusedWithBothThreads) {
  EventLoop& loop = get_running_loop();
  Task<> sleeper = create_task(sleep(1s));
  std::vector<std::string> texts;
  std::thread thread([&] {
    auto refused = [&](auto call) {
      try {
        call();
      } catch (const RuntimeError& e) {
        texts.push_back(e.what());
      }
    };
    refused([&] { create_task(loop, give(1)); });
    refused([&] { sleeper.cancel(); });
    refused([&] { sleeper.uncancel(); });
    refused([&] { all_tasks(loop); });
    refused([&] { set_task_factory(loop, nullptr); });
    refused([&] { loop.set_debug(true); });
  });
  thread.join();
  CO_ASSERT_EQ(texts.size(), 6u);
  for (const std::string& text : texts) {
    EXPECT_THAT(text, HasSubstr("the loop runs in thread "));
    EXPECT_THAT(text, HasSubstr("the call came from thread "));
  }
  EXPECT_EQ(sleeper.cancelling(), 0);
}

}  // namespace
}  // namespace asyncio
