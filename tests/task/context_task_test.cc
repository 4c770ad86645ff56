// Context variables in tasks and callbacks.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

const ContextVar<std::string> var("var", "default");

Coroutine<std::string> read() { co_return var.get(); }
Coroutine<> write(std::string text) {
  co_await sleep(0s);
  var.set(text);
}

ASYNCIO_TEST(ContextTaskTest, TaskCopiesTheContextWhenItIsMade) {
  Task<std::string> before = create_task(read());
  var.set("mine");
  Task<std::string> after = create_task(read());
  var.set("later");
  EXPECT_EQ(co_await before, "default");
  EXPECT_EQ(co_await after, "mine");
}

ASYNCIO_TEST(ContextTaskTest, WhatATaskSetsStaysInIt) {
  co_await create_task(write("child"));
  EXPECT_EQ(var.get(), "default");
}

ASYNCIO_TEST(ContextTaskTest, AwaitedCoroutineSharesTheCallersContext) {
  co_await write("inline");
  EXPECT_EQ(var.get(), "inline");
}

ASYNCIO_TEST(ContextTaskTest, IsKeptOverSuspensions) {
  auto body = [](std::string text) -> Coroutine<bool> {
    var.set(text);
    co_await sleep(1s);
    co_return var.get() == text;
  };
  Task<bool> a = create_task(body("a"));
  Task<bool> b = create_task(body("b"));
  EXPECT_TRUE(co_await a);
  EXPECT_TRUE(co_await b);
}

ASYNCIO_TEST(ContextTaskTest, CallbacksRunInTheContextOfTheirRegistration) {
  std::string log;
  auto note = [&] { log += var.get() + ";"; };
  Future<> f = create_future<>();
  var.set("one");
  f.add_done_callback(note);
  get_running_loop().call_soon(note);
  get_running_loop().call_later(1s, note);
  var.set("two");
  const Context explicit_context = copy_context();
  var.set("three");
  f.add_done_callback(note, {.context = &explicit_context});
  f.set_result();
  co_await sleep(2s);
  EXPECT_EQ(log, "one;one;two;one;");
}

ASYNCIO_TEST(ContextTaskTest, TaskOfAnExplicitContextWritesToIt) {
  const Context context = copy_context();
  Task<> task = create_task(write("there"), {.context = &context});
  EXPECT_EQ(task.get_context(), context);
  co_await task;
  EXPECT_EQ(context.get(var), "there");
  EXPECT_EQ(var.get(), "default");
}

ASYNCIO_TEST(ContextTaskTest, EagerTaskHasItsOwnAndGivesTheCallersBack) {
  auto body = []() -> Coroutine<> {
    var.set("eager");
    co_return;
  };
  create_task(body, {.eager_start = true});
  EXPECT_EQ(var.get(), "default");
  co_return;
}

ASYNCIO_TEST(ContextTaskTest, IsEnteredWhileItsTaskRunsAnother) {
  const Context context = copy_context();
  auto body = [&]() -> Coroutine<> {
    Context().run([&] { EXPECT_THROW(context.run([] {}), RuntimeError); });
    co_return;
  };
  co_await create_task(body, {.context = &context});
  EXPECT_NO_THROW(context.run([] {}));
}

// A report is handled in the context of what it is about.
TEST(ContextHandlerTest, IsThatOfTheTaskOrTheCallback) {
  std::string log;
  auto main = [&]() -> Coroutine<> {
    EventLoop& loop = get_running_loop();
    loop.set_exception_handler([&](EventLoop&, const ExceptionContext& report) {
      log += report.message + ": " + var.get() + "\n";
    });
    auto fail = []() -> Coroutine<> {
      var.set("the task's");
      throw ValueError("x");
      co_return;
    };
    Task<> task = create_task(fail);
    co_await sleep(0s);
    co_await sleep(0s);
    task = {};
    const Context context = copy_context();
    context.run([] { var.set("the callback's"); });
    const Handle handle = loop.call_soon({.context = &context}, [] {});
    co_await sleep(0s);
    ExceptionContext report("by hand");
    report.handle = handle;
    loop.call_exception_handler(report);
    report.handle.reset();
    loop.call_exception_handler(report);
    task = create_task(write("the task's"));
    task.add_done_callback([] { throw ValueError("y"); }, {.context = &context});
    co_await task;
    co_await sleep(0s);
  };
  run(main);
  EXPECT_EQ(log,
            "Task exception was never retrieved: the task's\n"
            "by hand: the callback's\n"
            "by hand: default\n"
            "Exception in callback: the callback's\n");
}

// While Context::run() is in a context, that is the running one, whatever the task
// has.
ASYNCIO_TEST(ContextTaskTest, TaskMadeInsideRunCopiesTheEnteredContext) {
  var.set("outside");
  const Context context = copy_context();
  Task<std::string> task;
  context.run([&] {
    var.set("inside");
    task = create_task(read());
    var.set("later");
  });
  EXPECT_EQ(co_await task, "inside");
  EXPECT_EQ(var.get(), "outside");
  EXPECT_EQ(context.get(var), "later");
}

ASYNCIO_TEST(ContextTaskTest, EagerTaskMadeInsideRunHasItsOwn) {
  const Context context = copy_context();
  std::string seen;
  auto body = [&]() -> Coroutine<> {
    seen = var.get();
    var.set("eager");
    co_return;
  };
  context.run([&] {
    var.set("inside");
    create_task(body, {.eager_start = true});
    EXPECT_EQ(var.get(), "inside");
  });
  EXPECT_EQ(seen, "inside");
  EXPECT_EQ(context.get(var), "inside");
  EXPECT_EQ(var.get(), "default");
  co_return;
}

ASYNCIO_TEST(ContextTaskTest, CallbackThatFollowsATaskDoesNotSeeItsContext) {
  std::string log;
  get_running_loop().call_soon([&log] {
    log += var.get();
    create_task([&log]() -> Coroutine<> {
      log += "," + var.get();
      co_return;
    });
  });
  var.set("mine");
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_EQ(log, "default,default");
}

TEST(ContextRunnerTest, LoopRunInsideRunStartsFromTheEnteredContext) {
  const Context context = copy_context();
  context.run([&] {
    var.set("entered");
    asyncio::run([]() -> Coroutine<> {
      EXPECT_EQ(var.get(), "entered");
      co_await create_task(write("task"));
      EXPECT_EQ(var.get(), "entered");
      var.set("main");
    }());
    EXPECT_EQ(var.get(), "entered");
  });
  EXPECT_EQ(context.get(var), "entered");
  EXPECT_EQ(var.get(), "default");
}

TEST(ContextRunnerTest, RunsOfOneRunnerShareAContext) {
  Runner runner;
  auto set = []() -> Coroutine<> {
    var.set("first run");
    co_return;
  };
  runner.run(set);
  EXPECT_EQ(runner.run(read()), "first run");
  const Context own;
  EXPECT_EQ(runner.run(read(), {.context = &own}), "default");
  EXPECT_EQ(var.get(), "default");
}

// Asks for the running context as it dies.
class AsksAtItsEnd {
 public:
  explicit AsksAtItsEnd(std::string& log) : log_(&log) {}
  AsksAtItsEnd(AsksAtItsEnd&& other) noexcept
      : log_(std::exchange(other.log_, nullptr)) {}
  ~AsksAtItsEnd() {
    if (log_ != nullptr) *log_ += var.get() + ";";
  }

 private:
  std::string* log_;
};

// What a task's end destroys runs when the task is nearly gone.
ASYNCIO_TEST(ContextTaskTest, OfATaskThatEndsIsNotSeenByWhatItDestroys) {
  struct Failure {
    std::shared_ptr<AsksAtItsEnd> asks;
  };
  std::string log;
  get_running_loop().set_exception_handler(
      [](EventLoop&, const ExceptionContext&) {});
  create_task([&log]() -> Coroutine<> {
    var.set("failed");
    throw Failure{std::make_shared<AsksAtItsEnd>(log)};
    co_return;
  });
  co_await sleep(0s);
  EXPECT_EQ(log, "default;");

  log.clear();
  create_task([&log]() -> Coroutine<AsksAtItsEnd> {
    var.set("finished");
    co_return AsksAtItsEnd(log);
  });
  co_await sleep(0s);
  EXPECT_EQ(log, "default;");

  const ContextVar<std::shared_ptr<AsksAtItsEnd>> kept("kept");
  log.clear();
  create_task([&]() -> Coroutine<> {
    var.set("has it");
    kept.set(std::make_shared<AsksAtItsEnd>(log));
    co_return;
  });
  co_await sleep(0s);
  EXPECT_EQ(log, "default;");
}

// The task that ran before was the last to set the thread's context, and is
// gone.
ASYNCIO_TEST(ContextTaskTest, OfATaskThatEndedIsNotFoundByWhatRunsNext) {
  std::string log;
  create_task(write("gone"));
  co_await sleep(0s);
  get_running_loop().call_soon([asks = AsksAtItsEnd(log)] {});
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_EQ(log, "default;");
}

}  // namespace
}  // namespace asyncio
