#include "asyncio/task/sleep.h"

#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

ASYNCIO_TEST(SleepTest, WakesAtItsDeadline) {
  co_await sleep(1500ms);
  EXPECT_EQ(elapsed(), 1500ms);
  co_await sleep(std::chrono::duration<double>(0.25));
  EXPECT_EQ(elapsed(), 1750ms);
}

ASYNCIO_TEST(SleepTest, GivesTheValueThatItWasGiven) {
  EXPECT_EQ(co_await sleep(1s, std::string("text")), "text");
  auto moved = sleep(1s, std::make_unique<int>(3));
  std::unique_ptr<int> p = co_await std::move(moved);
  EXPECT_EQ(*p, 3);
  EXPECT_EQ(elapsed(), 2s);
}

struct NotCopied {
  NotCopied() = default;
  NotCopied(const NotCopied&) { throw ValueError("not copied"); }
};

TEST(SleepAwaiterTest, AValueThatCannotBeCopiedLeavesNoTimer) {
  using Awaiter = internal::SleepValueAwaiter<NotCopied>;
  alignas(Awaiter) char memory[sizeof(Awaiter)];
  std::memset(memory, 0x41, sizeof memory);  // as a frame that was used before
  const NotCopied value;
  EXPECT_THROW(::new (memory) Awaiter(1s, value), ValueError);
}

TEST(SleepAwaiterTest, OneForATurnHasNoTimer) {
  using Awaiter = internal::SleepVoidAwaiter;
  alignas(Awaiter) char memory[sizeof(Awaiter)];
  for (Duration delay : {Duration(-1s), Duration(0s), -Duration::infinite()}) {
    std::memset(memory, 0x41, sizeof memory);
    auto* awaiter = ::new (memory) Awaiter(delay);
    EXPECT_FALSE(awaiter->await_ready());
    awaiter->~Awaiter();  // as where its task is destroyed before it goes on
  }
}

ASYNCIO_TEST(SleepTest, WakesByDeadlineNotByStart) {
  std::string log;
  auto note = [&](int n) -> Coroutine<> {
    co_await sleep(n * 30ms);
    log += std::to_string(n);
  };
  for (int n : {4, 1, 3, 2}) create_task(note(n));
  co_await sleep(1s);
  EXPECT_EQ(log, "1234");
}

ASYNCIO_TEST(SleepTest, EqualDeadlinesWakeInTheOrderTheySlept) {
  std::string log;
  auto note = [&](char c) -> Coroutine<> {
    co_await sleep(1s);
    log += c;
  };
  for (char c : {'a', 'b', 'c'}) create_task(note(c));
  co_await sleep(2s);
  EXPECT_EQ(log, "abc");
}

ASYNCIO_TEST(SleepTest, ZeroAndLessTakeExactlyOneTurn) {
  int turns = 0;
  auto count = [&]() -> Coroutine<> {
    while (turns < 10) {
      ++turns;
      co_await sleep(0s);
    }
  };
  Task<> counter = create_task(count);
  for (Duration d : {Duration::zero(), Duration(-1s), -Duration::infinite()}) {
    const int before = turns;
    co_await sleep(d);
    EXPECT_EQ(turns, before + 1);
  }
  EXPECT_EQ(elapsed(), 0s);
  co_await counter;
}

ASYNCIO_TEST(SleepTest, NotANumberIsAValueError) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::string text;
  try {
    co_await sleep(std::chrono::duration<double>(nan));
  } catch (const ValueError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "Invalid delay: NaN (not a number)");
}

ASYNCIO_TEST(SleepTest, AnInfiniteOneEndsByCancellationAlone) {
  Task<> task = create_task(sleep(Duration::infinite()));
  co_await sleep(std::chrono::hours(24 * 365 * 100));
  EXPECT_FALSE(task.done());
  task.cancel();
  EXPECT_TRUE((co_await as_result(task)).cancelled());
}

ASYNCIO_TEST(SleepTest, CanBeAwaitedMoreThanOnce) {
  auto second = sleep(1s);
  co_await second;
  co_await second;
  auto value = sleep(1s, 5);
  EXPECT_EQ(co_await value + co_await value, 10);
  EXPECT_EQ(elapsed(), 4s);
}

}  // namespace
}  // namespace asyncio
