// Awaitables from elsewhere: plain C++ awaiters that know nothing of tasks.
#include "asyncio/task/internal/foreign_awaiter.h"

#include <chrono>
#include <coroutine>
#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Resumed by hand.
struct Gate {
  struct Awaiter {
    Gate& gate;
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> h) { gate.waiting = h; }
    int await_resume() { return gate.value; }
  };
  Awaiter operator co_await() { return Awaiter{*this}; }
  std::coroutine_handle<> waiting;
  int value = 0;
};

template <class R>
struct Suspends {
  R answer;
  int* value;
  bool await_ready() { return false; }
  R await_suspend(std::coroutine_handle<>) { return answer; }
  int await_resume() { return *value; }
};

ASYNCIO_TEST(ForeignAwaiterTest, ResumingItWakesTheTaskThroughItsLoop) {
  Gate gate;
  std::string log;
  get_running_loop().call_soon([&] {
    gate.value = 3;
    gate.waiting.resume();
    log += "resumed;";
  });
  const int value = co_await gate;
  log += "woken;";
  EXPECT_EQ(value, 3);
  EXPECT_EQ(log, "resumed;woken;");
}

ASYNCIO_TEST(ForeignAwaiterTest, ThatNeedNotSuspendGoesOnAtOnce) {
  co_await std::suspend_never();
  int value = 4;
  Suspends<bool> refuses{false, &value};
  EXPECT_EQ(co_await refuses, 4);
  // Nothing of the refused wait is left behind.
  co_await sleep(1s);
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST(ForeignAwaiterTest, MayNameTheCoroutineToGoOnWith) {
  int value = 5;
  struct Transfers {
    int* value;
    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) {
      return h;  // itself
    }
    int await_resume() { return *value; }
  };
  Transfers transfers{&value};
  EXPECT_EQ(co_await transfers, 5);
}

ASYNCIO_TEST(ForeignAwaiterTest, CancellationIsThrownWhenItResumes) {
  Gate gate;
  auto body = [&]() -> Coroutine<> { co_await gate; };
  Task<> task = create_task(body);
  co_await sleep(0s);
  task.cancel("late");
  co_await sleep(1s);
  EXPECT_FALSE(task.done());
  gate.waiting.resume();
  const Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(exception_message(end.exception()), "late");
}

ASYNCIO_TEST(ForeignAwaiterTest, CanBeATask) {
  Gate gate;
  Task<int> task = create_task([&]() -> Gate& { return gate; });
  co_await sleep(0s);
  gate.value = 6;
  gate.waiting.resume();
  EXPECT_EQ(co_await task, 6);
}

// Goes on in a thread of its own, as many a library's awaiter does.
struct OnAThread {
  std::thread* thread;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    *thread = std::thread([h] { h.resume(); });
  }
  std::thread::id await_resume() { return std::this_thread::get_id(); }
};

TEST(ForeignThreadTest, TheTaskGoesOnInItsOwnThread) {
  auto body = []() -> Coroutine<> {
    for (int i = 0; i < 100; ++i) {
      std::thread thread;
      OnAThread awaiter{&thread};
      const std::thread::id id = co_await awaiter;
      EXPECT_EQ(id, std::this_thread::get_id());
      EXPECT_NE(id, thread.get_id());
      thread.join();
    }
  };
  run(body);
}

}  // namespace
}  // namespace asyncio
