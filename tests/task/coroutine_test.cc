#include "asyncio/task/coroutine.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n) { co_return n; }

Coroutine<> fail(std::string text) {
  co_await sleep(0s);
  throw ValueError(text);
}

TEST(CoroutineObjectTest, CallingTheFunctionRunsNothing) {
  bool ran = false;
  auto body = [&]() -> Coroutine<> {
    ran = true;
    co_return;
  };
  Coroutine<> c = body();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(c);
  run(std::move(c));
  EXPECT_TRUE(ran);
}

ASYNCIO_TEST(CoroutineTest, GivesItsValue) {
  EXPECT_EQ(co_await give(7), 7);
  Coroutine<int> named = give(8);
  EXPECT_EQ(co_await named, 8);
}

ASYNCIO_TEST(CoroutineTest, GivesAReference) {
  int n = 1;
  auto lend = [&]() -> Coroutine<int&> { co_return n; };
  int& lent = co_await lend();
  EXPECT_EQ(&lent, &n);
}

ASYNCIO_TEST(CoroutineTest, GivesWhatCanOnlyBeMoved) {
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(5);
  };
  std::unique_ptr<int> p = co_await make();
  EXPECT_EQ(*p, 5);
}

ASYNCIO_TEST(CoroutineTest, ThrowsWhatItThrew) {
  std::string caught;
  try {
    co_await fail("no");
  } catch (const ValueError& e) {
    caught = e.what();
  }
  EXPECT_EQ(caught, "no");
}

ASYNCIO_TEST(CoroutineTest, RunsInTheTaskThatAwaitsItWithoutATurnOfTheLoop) {
  bool other_ran = false;
  auto other = [&]() -> Coroutine<> {
    other_ran = true;
    co_return;
  };
  Task<> task = create_task(other);
  auto name = []() -> Coroutine<std::string> {
    co_return current_task().get_name();
  };
  EXPECT_EQ(co_await name(), current_task().get_name());
  EXPECT_FALSE(other_ran);
  co_await task;
}

ASYNCIO_TEST(CoroutineTest, AwaitingTwiceIsAnError) {
  Coroutine<int> c = give(1);
  co_await c;
  EXPECT_FALSE(c);
  std::string text;
  try {
    co_await c;
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "cannot reuse already awaited coroutine");
}

ASYNCIO_TEST(CoroutineTest, AwaitingWhatBecameATaskIsAnError) {
  Coroutine<int> c = give(1);
  Task<int> task = create_task(std::move(c));
  EXPECT_THROW(co_await c, RuntimeError);  // NOLINT: it is about the moved-from
  EXPECT_THROW(create_task(std::move(c)), RuntimeError);
  co_await task;
}

ASYNCIO_TEST(CoroutineTest, ArgumentsByValueLiveUntilItEnds) {
  auto shared = std::make_shared<int>(1);
  auto hold = [](std::shared_ptr<int> p) -> Coroutine<int> {
    co_await sleep(1s);
    co_return *p;
  };
  EXPECT_EQ(co_await hold(shared), 1);
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(CoroutineObjectTest, OneDestroyedUnrunDestroysItsArguments) {
  auto shared = std::make_shared<int>(1);
  auto hold = [](std::shared_ptr<int> p) -> Coroutine<int> { co_return *p; };
  {
    Coroutine<int> c = hold(shared);
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(CoroutineObjectTest, CloseDestroysTheArgumentsAtOnceAndTwiceDoesNoHarm) {
  auto shared = std::make_shared<int>(1);
  auto hold = [](std::shared_ptr<int> p) -> Coroutine<int> { co_return *p; };
  Coroutine<int> c = hold(shared);
  c.close();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_FALSE(c);
  c.close();
}

struct alignas(16) Vector {
  float values[4];
};
// Frames of all sizes, with something in them that is aligned to 16 bytes.
template <size_t kBytes>
Coroutine<bool> is_aligned(Vector vector) {
  char bytes[kBytes];
  volatile char* kept = bytes;
  kept[0] = 1;
  co_await sleep(0s);
  kept[kBytes - 1] = kept[0];
  volatile uintptr_t address = reinterpret_cast<uintptr_t>(&vector);
  co_return address % alignof(Vector) == 0;
}
template <size_t... kBytes>
Coroutine<> expect_all_aligned(std::index_sequence<kBytes...>) {
  // Two at once, or a list of free blocks gives the same each time.
  std::vector<Coroutine<bool>> frames;
  (frames.push_back(is_aligned<kBytes + 1>(Vector())), ...);
  (frames.push_back(is_aligned<kBytes + 1>(Vector())), ...);
  for (auto& frame : frames) EXPECT_TRUE(co_await frame);
}
ASYNCIO_TEST(CoroutineTest, WhatIsAlignedTo16BytesIsSoInAnyFrame) {
  co_await expect_all_aligned(std::make_index_sequence<48>());
}

ASYNCIO_TEST(CoroutineTest, LocalsDieInnermostFirstWhenAnExceptionPasses) {
  std::string log;
  struct Local {
    Local(std::string& log, char name) : log(log), name(name) {}
    ~Local() { log += name; }
    std::string& log;
    char name;
  };
  auto inner = [&]() -> Coroutine<> {
    Local local(log, 'i');
    co_await fail("x");
  };
  auto outer = [&]() -> Coroutine<> {
    Local local(log, 'o');
    co_await inner();
  };
  EXPECT_THROW(co_await outer(), ValueError);
  EXPECT_EQ(log, "io");
}

ASYNCIO_TEST(CoroutineTest, AnExceptionKeepsItsIdentityThroughFrames) {
  const void* thrown = nullptr;
  const void* caught = nullptr;
  auto inner = [&]() -> Coroutine<> {
    co_await sleep(0s);
    try {
      throw ValueError("x");
    } catch (const ValueError& e) {
      thrown = &e;
      throw;
    }
  };
  auto outer = [&]() -> Coroutine<> { co_await inner(); };
  try {
    co_await outer();
  } catch (const ValueError& e) {
    caught = &e;
  }
  EXPECT_EQ(thrown, caught);
}

// --- What debug mode says of one that was never awaited.

Coroutine<> forgotten() { co_return; }

std::string error_output(bool debug, void (*leave)()) {
  std::unique_ptr<EventLoop> loop = new_event_loop({.debug = debug});
  loop->call_soon(leave);
  loop->call_soon([&loop] { loop->stop(); });
  ::testing::internal::CaptureStderr();
  loop->run_forever();
  return ::testing::internal::GetCapturedStderr();
}

TEST(NeverAwaitedTest, IsReportedInDebugModeWithNameAndPlace) {
  const std::string text =
      error_output(true, [] { Coroutine<> c = forgotten(); });
  EXPECT_THAT(text, ::testing::HasSubstr("coroutine_test.cc:"));
  EXPECT_THAT(text, ::testing::HasSubstr("RuntimeWarning: coroutine '"));
  EXPECT_THAT(text, ::testing::HasSubstr("forgotten' was never awaited\n"));
}

TEST(NeverAwaitedTest, IsSilentWithoutDebugMode) {
  EXPECT_EQ(error_output(false, [] { Coroutine<> c = forgotten(); }), "");
}

TEST(NeverAwaitedTest, IsSilentOfOneThatWasClosed) {
  EXPECT_EQ(error_output(true,
                         [] {
                           Coroutine<> c = forgotten();
                           c.close();
                         }),
            "");
}

TEST(NeverAwaitedTest, IsSilentOfATaskThatWasCancelledBeforeItsFirstStep) {
  EXPECT_EQ(error_output(true, [] { create_task(forgotten()).cancel(); }), "");
}

}  // namespace
}  // namespace asyncio
