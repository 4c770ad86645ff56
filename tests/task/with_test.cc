#include "asyncio/task/with.h"

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Notes its calls; swallows ValueError where it is told to.
class Manager {
 public:
  explicit Manager(std::string& log, bool swallow = false)
      : log_(&log), swallow_(swallow) {}

  Coroutine<> aenter() {
    co_await sleep(0s);
    *log_ += "enter;";
  }
  Coroutine<bool> aexit(std::exception_ptr e) {
    co_await sleep(0s);
    *log_ += "exit " + exception_name(e) + ";";
    co_return swallow_&& exception_cast<ValueError>(e) != nullptr;
  }

 private:
  std::string* log_;
  bool swallow_;
};

// Gives a reference to what it owns.
class Lender {
 public:
  Coroutine<std::string&> aenter() { co_return text_; }
  Coroutine<bool> aexit(std::exception_ptr) { co_return false; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

ASYNCIO_TEST(WithTest, EntersRunsTheBodyAndExits) {
  std::string log;
  co_await with(Manager(log), [&] { log += "body;"; });
  EXPECT_EQ(log, "enter;body;exit ;");
}

ASYNCIO_TEST(WithTest, GivesWhatTheBodyGives) {
  std::string log;
  auto plain = [] { return 3; };
  EXPECT_EQ(co_await with(Manager(log), plain), 3);
  auto body = []() -> Coroutine<std::unique_ptr<int>> {
    co_await sleep(1s);
    co_return std::make_unique<int>(4);
  };
  auto p = co_await with(Manager(log), body);
  EXPECT_EQ(*p, 4);
}

ASYNCIO_TEST(WithTest, BodyIsGivenTheManagerOrWhatItEntered) {
  std::string log;
  Manager manager(log);
  bool same = false;
  co_await with(manager, [&](Manager& m) { same = &m == &manager; });
  EXPECT_TRUE(same);
  Lender lender;
  co_await with(lender, [](std::string& text) { text = "written"; });
  EXPECT_EQ(lender.text(), "written");
}

ASYNCIO_TEST(WithTest, ExitIsGivenTheExceptionWhichGoesOn) {
  std::string log;
  auto body = []() -> Coroutine<> {
    co_await sleep(0s);
    throw ValueError("v");
  };
  EXPECT_THROW(co_await with(Manager(log), body), ValueError);
  auto plain = [] { throw RuntimeError("r"); };
  EXPECT_THROW(co_await with(Manager(log), plain), RuntimeError);
  EXPECT_EQ(log, "enter;exit ValueError;enter;exit RuntimeError;");
}

ASYNCIO_TEST(WithTest, ExitMaySwallowTheException) {
  std::string log;
  auto body = []() -> Coroutine<> {
    co_await sleep(0s);
    throw ValueError("v");
  };
  co_await with(Manager(log, true), body);
  auto gives = []() -> Coroutine<int> {
    co_await sleep(0s);
    throw ValueError("v");
  };
  EXPECT_THROW(co_await with(Manager(log, true), gives), RuntimeError);
}

ASYNCIO_TEST(WithTest, ExitRunsWhenTheBodyIsCancelled) {
  std::string log;
  auto body = [&]() -> Coroutine<> {
    co_await with(Manager(log), []() -> Coroutine<> { co_await sleep(1h); });
  };
  Task<> task = create_task(body);
  co_await sleep(1s);
  task.cancel();
  static_cast<void>(co_await as_result(task));
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log, "enter;exit CancelledError;");
}

ASYNCIO_TEST(WithTest, KeepsTheBodysCapturesUntilItEnds) {
  std::string log;
  auto shared = std::make_shared<int>(1);
  auto body = [shared]() -> Coroutine<int> {
    co_await sleep(1s);
    co_return *shared;
  };
  auto running = with(Manager(log), std::move(body));
  EXPECT_EQ(co_await std::move(running), 1);
  EXPECT_EQ(shared.use_count(), 1);
}

ASYNCIO_TEST(TryFinallyTest, CleanupRunsOnEveryWayOut) {
  std::string log;
  auto cleanup = [&]() -> Coroutine<> {
    co_await sleep(1s);
    log += "cleanup;";
  };
  auto gives = []() -> Coroutine<int> { co_return 5; };
  EXPECT_EQ(co_await try_finally(gives, cleanup), 5);
  auto fails = []() -> Coroutine<> {
    co_await sleep(0s);
    throw ValueError("v");
  };
  EXPECT_THROW(co_await try_finally(fails, cleanup), ValueError);
  EXPECT_EQ(log, "cleanup;cleanup;");
  EXPECT_EQ(elapsed(), 2s);
}

ASYNCIO_TEST(TryFinallyTest, CleanupOfACancelledBodyMayAwait) {
  std::string log;
  auto body = [&]() -> Coroutine<> {
    auto cleanup = [&]() -> Coroutine<> {
      co_await sleep(1s);
      log += "cleanup;";
    };
    co_await try_finally(sleep(1h), cleanup);
  };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel();
  static_cast<void>(co_await as_result(task));
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(log, "cleanup;");
}

ASYNCIO_TEST(TryFinallyTest, WhatTheCleanupThrowsReplacesTheBodysException) {
  auto fails = [] { throw ValueError("body"); };
  auto cleanup = [] { throw RuntimeError("cleanup"); };
  EXPECT_THROW(co_await try_finally(fails, cleanup), RuntimeError);
}

ASYNCIO_TEST(TryFinallyTest, TakesCoroutinesAsWellAsCallables) {
  std::string log;
  auto note = [&](std::string text) -> Coroutine<> {
    log += text;
    co_return;
  };
  auto body = note("body;");
  auto cleanup = note("cleanup;");
  co_await try_finally(std::move(body), std::move(cleanup));
  EXPECT_EQ(log, "body;cleanup;");
}

}  // namespace
}  // namespace asyncio
