#include "asyncio/task/concurrent_future.h"

#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/threads.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// A loop that runs in a thread of its own until this goes.
class LoopThread {
 public:
  LoopThread() : thread_([this] { work(); }) { ready_.wait(); }
  ~LoopThread() { stop(); }
  EventLoop& loop() { return *loop_; }
  // Ends the loop; closes it, but keeps it.
  void stop() {
    if (!thread_.joinable()) return;
    loop_->call_soon_threadsafe([this] { loop_->stop(); });
    thread_.join();
  }
  void destroy() {
    stop();
    loop_ = nullptr;
  }

 private:
  void work() {
    loop_ = new_event_loop();
    loop_->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    loop_->call_soon([this] { ready_.count_down(); });
    loop_->run_forever();
    loop_->close();
  }
  std::latch ready_{1};
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

Coroutine<int> square(int x) {
  co_await sleep(0s);
  co_return x* x;
}
Coroutine<int> fail() {
  co_await sleep(0s);
  throw ValueError("in loop");
}
Coroutine<> hang() { co_await create_future<>(); }

// --- run_coroutine_threadsafe

TEST(RunCoroutineThreadsafeTest, GivesTheResult) {
  LoopThread there;
  ConcurrentFuture<int> future =
      run_coroutine_threadsafe(square(3), there.loop());
  EXPECT_EQ(future.result(5s), 9);
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.exception(), nullptr);
}

TEST(RunCoroutineThreadsafeTest, AnExceptionCrosses) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(fail(), there.loop());
  EXPECT_THROW(future.result(5s), ValueError);
  EXPECT_EQ(exception_message(future.exception()), "in loop");
  there.destroy();
}

TEST(RunCoroutineThreadsafeTest, TakesACallableAndAnAwaitable) {
  LoopThread there;
  int seen = 0;
  auto body = [&]() -> Coroutine<> {
    seen = 1;
    co_return;
  };
  run_coroutine_threadsafe(body, there.loop()).result(5s);
  run_coroutine_threadsafe(sleep(0s), there.loop()).result(5s);
  EXPECT_EQ(seen, 1);
}

TEST(RunCoroutineThreadsafeTest, AMoveOnlyResultIsMovedOut) {
  LoopThread there;
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(5);
  };
  auto future = run_coroutine_threadsafe(make, there.loop());
  EXPECT_EQ(*future.result(5s), 5);
  std::unique_ptr<int> mine = std::move(future).result();
  EXPECT_EQ(*mine, 5);
}

TEST(RunCoroutineThreadsafeTest, AReferenceStaysOne) {
  LoopThread there;
  int n = 1;
  auto give = [&]() -> Coroutine<int&> { co_return n; };
  int& same = run_coroutine_threadsafe(give, there.loop()).result(5s);
  EXPECT_EQ(&same, &n);
}

TEST(RunCoroutineThreadsafeTest, ResultWaitsAtMostTheTimeout) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(hang(), there.loop());
  EXPECT_THROW(future.result(1ms), TimeoutError);
  EXPECT_THROW(static_cast<void>(future.exception(0s)), TimeoutError);
  EXPECT_THROW(future.result(-1s), TimeoutError);
  EXPECT_FALSE(future.done());
}

TEST(RunCoroutineThreadsafeTest, CancelReachesTheTask) {
  LoopThread there;
  std::latch started(1), stopped(1);
  auto work = [&]() -> Coroutine<> {
    started.count_down();
    Result<> end = co_await as_result(sleep(1h));
    if (end.cancelled()) stopped.count_down();
    end.rethrow();
  };
  auto future = run_coroutine_threadsafe(work, there.loop());
  started.wait();
  EXPECT_TRUE(future.cancel());
  stopped.wait();
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.cancel());
  EXPECT_THROW(future.result(), CancelledError);
  EXPECT_THROW(static_cast<void>(future.exception()), CancelledError);
}

TEST(RunCoroutineThreadsafeTest, CancelledBeforeItsStartEndsAtItsFirstAwait) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::string log;
  auto body = [&]() -> Coroutine<> {
    log += "starts ";
    const Result<> end = co_await as_result(sleep(1h));
    if (end.cancelled()) log += "cancelled";
    end.rethrow();
  };
  auto future = run_coroutine_threadsafe(body, *loop);
  EXPECT_TRUE(future.cancel());
  for (int turn = 0; turn < 3; ++turn) run_until_complete(*loop, sleep(0s));
  EXPECT_EQ(log, "starts cancelled");
  EXPECT_TRUE(all_tasks(*loop).empty());
}

TEST(RunCoroutineThreadsafeTest, ATaskCancelledInTheLoopIsCancelledHere) {
  LoopThread there;
  auto body = []() -> Coroutine<> {
    current_task().cancel("why");
    co_await sleep(1s);
  };
  auto future = run_coroutine_threadsafe(body, there.loop());
  try {
    future.result(5s);
    ADD_FAILURE() << "a result";
  } catch (const CancelledError& e) {
    EXPECT_STREQ(e.what(), "why");
  }
  EXPECT_TRUE(future.cancelled());
}

TEST(RunCoroutineThreadsafeTest, CancelAfterTheEndIsFalse) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(square(2), there.loop());
  EXPECT_EQ(future.result(5s), 4);
  EXPECT_FALSE(future.cancel());
}

TEST(RunCoroutineThreadsafeTest, AnyNumberOfThreadsMayWait) {
  LoopThread there;
  auto future =
      run_coroutine_threadsafe(sleep(1ms, std::string("text")), there.loop());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([future] { EXPECT_EQ(future.result(), "text"); });
  }
}

TEST(RunCoroutineThreadsafeTest, AClosedLoopThrowsAndClosesTheCoroutine) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->close();
  auto argument = std::make_shared<int>(1);
  auto body = [](std::shared_ptr<int>) -> Coroutine<> { co_return; };
  Coroutine<> coroutine = body(argument);
  try {
    run_coroutine_threadsafe(std::move(coroutine), *loop);
    ADD_FAILURE() << "taken";
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "Event loop is closed");
  }
  EXPECT_EQ(argument.use_count(), 1);
}

// --- The end of the loop

TEST(ConcurrentFutureTest, ClosingTheLoopCancelsIt) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(hang(), there.loop());
  std::jthread waiting(
      [future] { EXPECT_THROW(future.result(), CancelledError); });
  // Not before its task is there.
  run_coroutine_threadsafe(sleep(0s), there.loop()).result(5s);
  there.stop();
  EXPECT_TRUE(future.cancelled());
}

TEST(ConcurrentFutureTest, ClosingALoopThatNeverRanCancelsIt) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  auto future = run_coroutine_threadsafe(hang(), *loop);
  EXPECT_FALSE(future.done());
  loop->close();
  EXPECT_TRUE(future.cancelled());
}

TEST(ConcurrentFutureTest, DestroyingTheLoopCancelsIt) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  auto future = run_coroutine_threadsafe(hang(), *loop);
  run_until_complete(*loop, sleep(0s));
  EXPECT_FALSE(future.done());
  loop = nullptr;
  EXPECT_TRUE(future.cancelled());
}

TEST(ConcurrentFutureTest, RunCancelsItAtItsEnd) {
  std::optional<ConcurrentFuture<>> future;
  run([&]() -> Coroutine<> {
    future = run_coroutine_threadsafe(hang(), get_running_loop());
    co_await sleep(0s);
  });
  EXPECT_TRUE(future->cancelled());
}

TEST(ConcurrentFutureTest, OutlivesItsLoop) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(square(2), there.loop());
  EXPECT_EQ(future.result(5s), 4);
  there.destroy();
  EXPECT_EQ(future.result(), 4);
  EXPECT_FALSE(future.cancel());
}

TEST(ConcurrentFutureTest, CancellationsAndTheLoopsEndRace) {
  for (int i = 0; i < 100; ++i) {
    LoopThread there;
    auto a = run_coroutine_threadsafe(hang(), there.loop());
    auto b = run_coroutine_threadsafe(square(i), there.loop());
    std::jthread canceller([a, b] {
      a.cancel();
      b.cancel();
    });
    there.destroy();
    EXPECT_THROW(a.result(), CancelledError);
    EXPECT_TRUE(b.done());
  }
}

// --- wrap_future

ASYNCIO_TEST(WrapFutureTest, GivesAnotherLoopsResult) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(square(4), there.loop());
  EXPECT_EQ(co_await wrap_future(future), 16);
  EXPECT_EQ(co_await wrap_future(future), 16);  // done before
}

ASYNCIO_TEST(WrapFutureTest, AnExceptionCrosses) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(fail(), there.loop());
  Result<int> result = co_await as_result(wrap_future(future));
  EXPECT_NE(result.get_if<ValueError>(), nullptr);
}

ASYNCIO_TEST(WrapFutureTest, VoidWorks) {
  LoopThread there;
  co_await wrap_future(run_coroutine_threadsafe(sleep(0s), there.loop()));
}

ASYNCIO_TEST(WrapFutureTest, CancellingItCancelsTheOther) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(hang(), there.loop());
  Future<> wrapped = wrap_future(future);
  wrapped.cancel();
  co_await sleep(0s);
  EXPECT_TRUE(future.cancelled());
}

ASYNCIO_TEST(WrapFutureTest, IsCancelledWithTheOther) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(hang(), there.loop());
  Future<> wrapped = wrap_future(future);
  future.cancel();
  Result<> result = co_await as_result(wrapped);
  EXPECT_TRUE(result.cancelled());
  EXPECT_TRUE(wrapped.cancelled());
}

ASYNCIO_TEST(WrapFutureTest, TheOtherLoopsEndCancelsIt) {
  LoopThread there;
  Future<> wrapped =
      wrap_future(run_coroutine_threadsafe(hang(), there.loop()));
  co_await to_thread([&] { there.destroy(); });
  Result<> result = co_await as_result(wrapped);
  EXPECT_TRUE(result.cancelled());
}

ASYNCIO_TEST(WrapFutureTest, WorksInTheLoopThatRunsTheTask) {
  auto future = run_coroutine_threadsafe(sleep(1h, 3), get_running_loop());
  EXPECT_EQ(co_await wrap_future(future), 3);
  EXPECT_EQ(elapsed(), 1h);
}

ASYNCIO_TEST(WrapFutureTest, DroppedItDisturbsNobody) {
  LoopThread there;
  auto future = run_coroutine_threadsafe(square(4), there.loop());
  wrap_future(future);
  EXPECT_EQ(co_await wrap_future(future), 16);
}

TEST(WrapFutureLoopEndTest, ALoopThatGoesFirstHearsNothing) {
  LoopThread there;
  for (int i = 0; i < 50; ++i) {
    Future<int> kept;
    auto future = run_coroutine_threadsafe(square(4), there.loop());
    std::unique_ptr<EventLoop> loop = new_event_loop();
    run_until_complete(*loop, [&]() -> Coroutine<> {
      kept = wrap_future(future);
      co_return;
    }());
    loop = nullptr;
    EXPECT_EQ(future.result(5s), 16);
  }
}

TEST(WrapFutureLoopEndTest, OneThatNeverEndsIsNotKeptAliveByIt) {
  std::weak_ptr<internal::ConcurrentState<int>> state;
  run([&]() -> Coroutine<> {
    ConcurrentFuture<int> future;
    state = future.state();
    wrap_future(future);
    co_return;
  });
  EXPECT_TRUE(state.expired());
}

}  // namespace
}  // namespace asyncio
