#include "asyncio/task/task_group.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/timeout.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n, Duration delay = 0s) {
  co_await sleep(delay);
  co_return n;
}
Coroutine<> fail(std::string text, Duration delay = 0s) {
  co_await sleep(delay);
  throw ValueError(text);
}
Coroutine<> fail_when_cancelled(std::string text) {
  static_cast<void>(co_await as_result(sleep(1h)));
  throw ValueError(text);
}

// "ValueError(a) KeyError(b)": what a group holds.
template <class R>
std::string contents(const R& result) {
  auto* group = result.template get_if<BaseExceptionGroup>();
  if (group == nullptr) return exception_name(result.exception());
  std::string text;
  for (const std::exception_ptr& e : group->exceptions()) {
    if (!text.empty()) text += " ";
    text += exception_name(e) + "(" + exception_message(e) + ")";
  }
  return text;
}

ASYNCIO_TEST(TaskGroupTest, WaitsForEveryTask) {
  Task<int> a, b;
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    a = group.create_task(give(1, 3s));
    b = group.create_task([] { return give(2, 1s); }, {.name = "b"});
  });
  EXPECT_EQ(a.result() + b.result(), 3);
  EXPECT_EQ(b.get_name(), "b");
  EXPECT_EQ(elapsed(), 3s);
}

ASYNCIO_TEST(TaskGroupTest, TheFirstFailureCancelsTheOthersAndTheBody) {
  Task<int> sibling;
  auto result = co_await as_result(
      with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
        sibling = group.create_task(give(1, 1h));
        group.create_task(fail("x", 1s));
        co_await sleep(1h);
      }));
  EXPECT_EQ(contents(result), "ValueError(x)");
  EXPECT_EQ(exception_message(result.exception()),
            "unhandled errors in a TaskGroup (1 sub-exception)");
  EXPECT_TRUE(result.get_if<ExceptionGroup>());
  EXPECT_TRUE(sibling.cancelled());
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(current_task().cancelling(), 0);
}

// Golden probe 2.
ASYNCIO_TEST(TaskGroupTest, TheBodysOwnErrorComesLast) {
  auto result = co_await as_result(
      with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
        group.create_task(fail("child"));
        static_cast<void>(co_await as_result(sleep(1h)));
        throw LookupError("body");
      }));
  EXPECT_EQ(contents(result), "ValueError(child) LookupError(body)");
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TaskGroupTest, ErrorsStandInTheOrderInWhichTasksEnded) {
  auto result = co_await as_result(with(TaskGroup(), [&](TaskGroup& group) {
    group.create_task(fail_when_cancelled("b"));
    group.create_task(fail_when_cancelled("c"));
    group.create_task(fail("a", 1s));
  }));
  EXPECT_EQ(contents(result), "ValueError(a) ValueError(b) ValueError(c)");
}

ASYNCIO_TEST(TaskGroupTest, ACancelledTaskIsNoFailure) {
  Task<int> task;
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
    task = group.create_task(give(1, 1h));
    co_await sleep(1s);
    task.cancel();
  });
  EXPECT_TRUE(task.cancelled());
}

ASYNCIO_TEST(TaskGroupTest, ATaskOfTheGroupMayMakeOthers) {
  int n = 0;
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    group.create_task([&]() -> Coroutine<> {
      co_await sleep(1s);
      group.create_task([&]() -> Coroutine<> {
        co_await sleep(1s);
        ++n;
      });
    });
  });
  EXPECT_EQ(n, 1);
}

ASYNCIO_TEST(TaskGroupTest, ACancellationCancelsTheTasksAndIsThrownAfterThem) {
  Task<int> child;
  Task<> parent = create_task([&]() -> Coroutine<> {
    co_await with(TaskGroup(), [&](TaskGroup& group) {
      child = group.create_task(give(1, 1h));
    });
  });
  co_await sleep(1s);
  parent.cancel("why");
  auto result = co_await as_result(parent);
  EXPECT_EQ(result.get_if<CancelledError>()->message(), "why");
  EXPECT_TRUE(child.cancelled());
}

ASYNCIO_TEST(TaskGroupTest, CancelledTwiceItStillWaits) {
  bool cleaned = false;
  Task<> parent = create_task([&]() -> Coroutine<> {
    co_await with(TaskGroup(), [&](TaskGroup& group) {
      group.create_task([&]() -> Coroutine<> {
        static_cast<void>(co_await as_result(sleep(1h)));
        co_await sleep(5s);
        cleaned = true;
      });
    });
  });
  co_await sleep(1s);
  parent.cancel();
  co_await sleep(1s);
  parent.cancel();
  EXPECT_TRUE((co_await as_result(parent)).cancelled());
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(parent.cancelling(), 2);
}

ASYNCIO_TEST(TaskGroupTest, WithErrorsACancellationComesAtTheNextAwait) {
  std::string log;
  Task<> parent = create_task([&]() -> Coroutine<> {
    log = contents(co_await as_result(with(TaskGroup(), [&](TaskGroup& group) {
      group.create_task(fail_when_cancelled("x"));
    })));
    EXPECT_EQ(current_task().cancelling(), 1);
    co_await sleep(0s);
    log += " not here";
  });
  co_await sleep(1s);
  parent.cancel();
  EXPECT_TRUE((co_await as_result(parent)).cancelled());
  EXPECT_EQ(log, "ValueError(x)");
}

ASYNCIO_TEST(TaskGroupTest, EnteredWhileACancellationIsHandledKeepsTheCount) {
  Task<std::string> task = create_task([]() -> Coroutine<std::string> {
    static_cast<void>(co_await as_result(sleep(1h)));
    auto result = co_await as_result(with(
        TaskGroup(), [](TaskGroup& group) { group.create_task(fail("x")); }));
    co_await sleep(1s);
    co_return contents(result);
  });
  co_await sleep(1s);
  task.cancel();
  EXPECT_EQ(co_await task, "ValueError(x)");
  EXPECT_EQ(task.cancelling(), 1);
}

ASYNCIO_TEST(TaskGroupTest, NestedGroupsNestTheirErrors) {
  auto result =
      co_await as_result(with(TaskGroup(), [](TaskGroup& outer) -> Coroutine<> {
        outer.create_task(sleep(1h));
        co_await with(TaskGroup(), [](TaskGroup& inner) {
          inner.create_task(fail("x", 1s));
        });
      }));
  EXPECT_EQ(contents(result),
            "ExceptionGroup(unhandled errors in a TaskGroup (1 "
            "sub-exception))");
}

ASYNCIO_TEST(TaskGroupTest, ABaseExceptionOfTheBodyWinsAlone) {
  auto result =
      co_await as_result(with(TaskGroup(), [](TaskGroup& group) -> Coroutine<> {
        group.create_task(fail_when_cancelled("x"));
        co_await sleep(0s);
        throw SystemExit(3);
      }));
  CO_ASSERT_TRUE(result.get_if<SystemExit>());
  EXPECT_EQ(result.get_if<SystemExit>()->code(), 3);
}

ASYNCIO_TEST(TaskGroupTest, ALoneGeneratorExitIsThrownBare) {
  auto result = co_await as_result(with(TaskGroup(), []() -> Coroutine<> {
    throw GeneratorExit();
    co_return;
  }));
  EXPECT_TRUE(result.get_if<GeneratorExit>());
}

ASYNCIO_TEST(TaskGroupTest, RefusesTasksBeforeAndAfter) {
  TaskGroup group;
  auto refused = [&] {
    try {
      group.create_task(give(1));
    } catch (const RuntimeError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused(), "TaskGroup <TaskGroup> has not been entered");
  co_await with(group, [] {});
  EXPECT_EQ(refused(), "TaskGroup <TaskGroup entered> is finished");
  auto again = co_await as_result(with(group, [] {}));
  EXPECT_EQ(exception_message(again.exception()),
            "TaskGroup <TaskGroup entered> has already been entered");
}

ASYNCIO_TEST(TaskGroupTest, RefusesTasksWhileItShutsDown) {
  std::string text;
  static_cast<void>(co_await as_result(with(TaskGroup(), [&](TaskGroup& group) {
    group.create_task([&]() -> Coroutine<> {
      static_cast<void>(co_await as_result(sleep(1h)));
      try {
        group.create_task(give(1));
      } catch (const RuntimeError& e) {
        text = e.what();
      }
    });
    group.create_task(fail("x"));
  })));
  EXPECT_EQ(text,
            "TaskGroup <TaskGroup tasks=1 errors=1 cancelling> is "
            "shutting down");
}

ASYNCIO_TEST(TaskGroupTest, CancelEndsItWithoutAnError) {
  Task<int> child;
  bool after = false;
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
    child = group.create_task(give(1, 1h));
    co_await sleep(1s);
    group.cancel();
    group.cancel();
    co_await sleep(1h);
    after = true;
  });
  EXPECT_TRUE(child.cancelled());
  EXPECT_FALSE(after);
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(current_task().cancelling(), 0);
  co_await sleep(1s);
}

ASYNCIO_TEST(TaskGroupTest, CancelByATaskOfItsOwn) {
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    group.create_task(give(1, 1h));
    group.create_task([&]() -> Coroutine<> {
      co_await sleep(1s);
      group.cancel();
    });
  });
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TaskGroupTest, CancelBeforeItIsEnteredTakesEffectThere) {
  TaskGroup group;
  group.cancel();
  bool after = false;
  co_await with(std::move(group), [&]() -> Coroutine<> {
    co_await sleep(1s);
    after = true;
  });
  EXPECT_FALSE(after);
  EXPECT_EQ(current_task().cancelling(), 0);
}

ASYNCIO_TEST(TaskGroupTest, CancelAfterItsEndDoesNothing) {
  TaskGroup group;
  co_await with(group, [] {});
  group.cancel();
  co_await sleep(1s);
}

// As cpython gh-155433.
ASYNCIO_TEST(TaskGroupTest, CancelDoesNotHideACancellationFromElsewhere) {
  TaskGroup group;
  Task<> parent = create_task([&]() -> Coroutine<> {
    co_await with(group, [](TaskGroup& g) {
      g.create_task([]() -> Coroutine<> {
        static_cast<void>(co_await as_result(sleep(1h)));
        co_await sleep(5s);
      });
    });
  });
  co_await sleep(1s);
  group.cancel();
  co_await sleep(1s);
  parent.cancel();
  EXPECT_TRUE((co_await as_result(parent)).cancelled());
  EXPECT_EQ(parent.cancelling(), 1);
}

ASYNCIO_TEST(TaskGroupTest, AnEagerFailureCancelsTheBodyAtItsNextAwait) {
  std::string log;
  auto result = co_await as_result(
      with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
        auto bad = []() -> Coroutine<> {
          throw ValueError("x");
          co_return;
        };
        Task<> task = group.create_task(bad, {.eager_start = true});
        EXPECT_TRUE(task.done());
        log += "goes on";
        co_await sleep(1h);
        log += " not here";
      }));
  EXPECT_EQ(contents(result), "ValueError(x)");
  EXPECT_EQ(log, "goes on");
}

// As cpython gh-155418.
ASYNCIO_TEST(TaskGroupTest, AnEagerTaskThatCancelsTheGroupIsCancelledToo) {
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    auto work = [&]() -> Coroutine<> {
      group.cancel();
      co_await sleep(1h);
    };
    group.create_task(work, {.eager_start = true});
  });
  EXPECT_EQ(elapsed(), 0s);
}

ASYNCIO_TEST(TaskGroupTest, ManyTasks) {
  int n = 0;
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    for (int i = 0; i < 10'000; ++i) {
      group.create_task([&]() -> Coroutine<> {
        co_await sleep(0s);
        ++n;
      });
    }
  });
  EXPECT_EQ(n, 10'000);
}

TEST(TaskGroupLoopTest, DiesWithItsLoop) {
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  loop->call_soon([&] {
    create_task([]() -> Coroutine<> {
      co_await with(TaskGroup(), [](TaskGroup& group) -> Coroutine<> {
        group.create_task(give(1, 1h));
        co_await with(timeout(1h), [] { return sleep(2h); });
      });
    });
    loop->call_later(10ms, [&] { loop->stop(); });
  });
  loop->run_forever();
}

}  // namespace
}  // namespace asyncio
