#include "asyncio/task/threads.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Sets a flag where it is destroyed.
class Tracker {
 public:
  explicit Tracker(std::atomic<bool>* gone) : gone_(gone) {}
  Tracker(Tracker&& other) noexcept
      : gone_(std::exchange(other.gone_, nullptr)) {}
  ~Tracker() {
    if (gone_ != nullptr) *gone_ = true;
  }

 private:
  std::atomic<bool>* gone_;
};

// A pool of one thread, busy until it is released.
class BusyPool {
 public:
  explicit BusyPool(EventLoop& loop = get_running_loop()) {
    busy_ = run_in_executor(loop, &pool_, [this] {
      started_.count_down();
      go_.acquire();
    });
    started_.wait();
  }
  ~BusyPool() { release(); }
  Future<> release() {
    if (!std::exchange(released_, true)) go_.release();
    return busy_;
  }
  ThreadPoolExecutor* operator&() { return &pool_; }

 private:
  std::latch started_{1};
  std::binary_semaphore go_{0};
  bool released_ = false;
  ThreadPoolExecutor pool_{1};
  Future<> busy_;
};

int add(int a, int b) { return a + b; }
void fail() { throw ValueError("in thread"); }

// --- to_thread

ASYNCIO_TEST(ToThreadTest, GivesTheResult) {
  EXPECT_EQ(co_await to_thread(add, 40, 2), 42);
}

ASYNCIO_TEST(ToThreadTest, RunsOnAnotherThread) {
  const std::thread::id there = co_await to_thread(std::this_thread::get_id);
  EXPECT_NE(there, std::this_thread::get_id());
}

ASYNCIO_TEST(ToThreadTest, AnExceptionCrosses) {
  Result<> result = co_await as_result(to_thread(fail));
  const ValueError* error = result.get_if<ValueError>();
  CO_ASSERT_NE(error, nullptr);
  EXPECT_STREQ(error->what(), "in thread");
}

ASYNCIO_TEST(ToThreadTest, ArgumentsAndResultMayBeMoveOnly) {
  auto box = std::make_unique<int>(7);
  auto twice = [](std::unique_ptr<int> p) {
    *p *= 2;
    return p;
  };
  std::unique_ptr<int> result = co_await to_thread(twice, std::move(box));
  EXPECT_EQ(*result, 14);
}

ASYNCIO_TEST(ToThreadTest, AReferenceIsPassedByRefAndReturnedAsOne) {
  int n = 1;
  auto next = [](int& i) -> int& { return ++i; };
  int& same = co_await to_thread(next, std::ref(n));
  EXPECT_EQ(&same, &n);
  EXPECT_EQ(n, 2);
}

ASYNCIO_TEST(ToThreadTest, StartsWhenItIsAwaited) {
  std::atomic<bool> called = false;
  auto set = [&] { called = true; };
  auto call = to_thread(set);
  co_await sleep(0s);
  EXPECT_FALSE(called);
  co_await std::move(call);
  EXPECT_TRUE(called);
}

ASYNCIO_TEST(ToThreadTest, CarriesACopyOfTheContext) {
  ContextVar<int> var("var", 0);
  var.set(5);
  auto read_and_set = [&] {
    const int before = var.get();
    var.set(6);
    return before;
  };
  EXPECT_EQ(co_await to_thread(read_and_set), 5);
  EXPECT_EQ(var.get(), 5);
}

ASYNCIO_TEST(ToThreadTest, CallsRunAtTheSameTime) {
  std::latch meeting(3);
  auto meet = [&](int n) {
    meeting.arrive_and_wait();
    return n;
  };
  Task<int> a = create_task(to_thread(meet, 1));
  Task<int> b = create_task(to_thread(meet, 2));
  Task<int> c = create_task(to_thread(meet, 3));
  EXPECT_EQ(co_await a, 1);
  EXPECT_EQ(co_await b, 2);
  EXPECT_EQ(co_await c, 3);
}

ASYNCIO_TEST(ToThreadTest, AVirtualClockStandsStillMeanwhile) {
  bool rang = false;
  get_running_loop().call_later(1h, [&] { rang = true; });
  auto slow = [] { std::this_thread::sleep_for(5ms); };
  co_await to_thread(slow);
  EXPECT_FALSE(rang);
  EXPECT_EQ(elapsed(), 0s);
  co_await sleep(2h);
  EXPECT_TRUE(rang);
}

// Where the thread waits for the loop, the clock must go on.
ASYNCIO_TEST(ToThreadTest, AThreadMayWaitForASleepOfItsVirtualLoop) {
  EventLoop& loop = get_running_loop();
  auto wait = [&] {
    run_coroutine_threadsafe(sleep(1h), loop).result();
    return run_coroutine_threadsafe(sleep(1h, 3), loop).result();
  };
  EXPECT_EQ(co_await to_thread(wait), 3);
  EXPECT_EQ(elapsed(), 2h);
}

ASYNCIO_TEST(ToThreadTest, AWaitThatTimesOutStopsTheClockAgain) {
  EventLoop& loop = get_running_loop();
  auto hang = []() -> Coroutine<> { co_await create_future<>(); };
  auto wait = [&] {
    auto never = run_coroutine_threadsafe(hang, loop);
    EXPECT_THROW(never.result(1ms), TimeoutError);
    EXPECT_TRUE(never.cancel());
  };
  co_await to_thread(wait);
  co_await to_thread(wait);
}

ASYNCIO_TEST(ToThreadTest, ACancelledCallRunsOnAndItsResultIsDropped) {
  std::latch started(1), go(1);
  std::atomic<bool> ended = false;
  auto work = [&] {
    started.count_down();
    go.wait();
    ended = true;
    return 1;
  };
  Task<int> task = create_task(to_thread(work));
  co_await sleep(0s);
  started.wait();
  task.cancel();
  co_await sleep(1h);
  EXPECT_TRUE(task.cancelled());
  EXPECT_FALSE(ended);
  go.count_down();
  co_await shutdown_default_executor();
  EXPECT_TRUE(ended);
}

// --- run_in_executor

ASYNCIO_TEST(RunInExecutorTest, UsesTheExecutorThatItIsGiven) {
  ThreadPoolExecutor pool(1);
  Future<int> sum = run_in_executor(&pool, add, 1, 2);
  EXPECT_EQ(co_await sum, 3);
  EXPECT_EQ(co_await run_in_executor(nullptr, add, 2, 3), 5);
}

ASYNCIO_TEST(RunInExecutorTest, DoesNotCarryTheContext) {
  ContextVar<int> var("var", 0);
  var.set(5);
  auto read = [&] { return var.get(); };
  EXPECT_EQ(co_await run_in_executor(nullptr, read), 0);
}

ASYNCIO_TEST(RunInExecutorTest, ArgumentsAreGoneWhenTheFutureIsDone) {
  std::atomic<bool> gone = false;
  auto take = [](Tracker&) {};
  auto call = [take, t = Tracker(&gone)]() mutable { take(t); };
  Future<> done = run_in_executor(nullptr, std::move(call));
  co_await done;
  EXPECT_TRUE(gone);
}

ASYNCIO_TEST(RunInExecutorTest, CancellingAQueuedCallTakesItOut) {
  BusyPool pool;
  std::atomic<bool> gone = false;
  auto call = [t = Tracker(&gone)] { ADD_FAILURE() << "called"; };
  Future<> queued = run_in_executor(&pool, std::move(call));
  queued.cancel();
  EXPECT_TRUE(queued.cancelled());
  co_await sleep(0s);
  EXPECT_TRUE(gone);
  co_await pool.release();
}

ASYNCIO_TEST(RunInExecutorTest, ACancelledErrorOfTheCallIsAnException) {
  auto cancel = [] { throw CancelledError("mine"); };
  Future<> future = run_in_executor(nullptr, cancel);
  Result<> result = co_await as_result(future);
  EXPECT_EQ(exception_message(result.exception()), "mine");
  EXPECT_FALSE(future.cancelled());
}

ASYNCIO_TEST(RunInExecutorTest, AnUnfetchedExceptionIsReported) {
  Future<> future = run_in_executor(nullptr, fail);
  while (!future.done()) co_await sleep(1ms);
  future = {};
  EXPECT_EQ(take_reports().size(), 1u);
}

ASYNCIO_TEST(RunInExecutorTest, AResultWhoseMoveThrowsFails) {
  struct Thrower {
    explicit Thrower(int moves) : moves(moves) {}
    Thrower(Thrower&& other) : moves(other.moves - 1) {
      if (moves < 0) throw ValueError("moved");
    }
    int moves;
  };
  auto make = [](int moves) { return Thrower(moves); };
  for (int moves = 0; moves < 6; ++moves) {
    Future<Thrower> future = run_in_executor(nullptr, make, moves);
    while (!future.done()) co_await sleep(1ms);
    if (future.exception() == nullptr) co_return;
  }
  ADD_FAILURE() << "never enough";
}

ASYNCIO_TEST(RunInExecutorTest, WhatTheExecutorCancelsIsCancelled) {
  std::latch started(1), go(1);
  ThreadPoolExecutor pool(1);
  Future<> first = run_in_executor(&pool, [&] {
    started.count_down();
    go.wait();
  });
  Future<int> second = run_in_executor(&pool, add, 1, 2);
  started.wait();
  pool.shutdown({.wait = false, .cancel_futures = true});
  Result<int> result = co_await as_result(second);
  EXPECT_TRUE(result.cancelled());
  go.count_down();
  co_await first;
}

class DroppingExecutor final : public Executor {
 public:
  void submit(std::shared_ptr<Work>) override {}
};
class InlineExecutor final : public Executor {
 public:
  void submit(std::shared_ptr<Work> work) override { work->run(); }
};

ASYNCIO_TEST(RunInExecutorTest, WhatTheExecutorDropsIsCancelled) {
  DroppingExecutor executor;
  Future<int> future = run_in_executor(&executor, add, 1, 2);
  Result<int> result = co_await as_result(future);
  EXPECT_TRUE(result.cancelled());
  co_await sleep(1h);  // nothing is under way
}

ASYNCIO_TEST(RunInExecutorTest, AnExecutorMayRunItInsideSubmit) {
  InlineExecutor executor;
  Future<int> future = run_in_executor(&executor, add, 1, 2);
  EXPECT_FALSE(future.done());
  EXPECT_EQ(co_await future, 3);
}

ASYNCIO_TEST(RunInExecutorTest, ARefusedCallLeavesNothingBehind) {
  ThreadPoolExecutor pool(1);
  pool.shutdown();
  EXPECT_THROW(static_cast<void>(run_in_executor(&pool, add, 1, 2)),
               RuntimeError);
  co_await sleep(1h);
}

ASYNCIO_TEST(RunInExecutorTest, TheLoopsDefaultExecutorMayBeReplaced) {
  set_default_executor(get_running_loop(), std::make_unique<InlineExecutor>());
  const std::thread::id here = std::this_thread::get_id();
  EXPECT_EQ(co_await to_thread(std::this_thread::get_id), here);
}

ASYNCIO_TEST(RunInExecutorTest, AReplacedExecutorEndsItsWork) {
  std::latch go(1);
  Future<> old = run_in_executor(nullptr, [&] { go.wait(); });
  set_default_executor(get_running_loop(),
                       std::make_unique<ThreadPoolExecutor>(1));
  EXPECT_EQ(co_await to_thread(add, 1, 2), 3);
  go.count_down();
  co_await old;
}

// --- shutdown_default_executor

ASYNCIO_TEST(ShutdownDefaultExecutorTest, WaitsForTheCallsAndTakesNoMore) {
  std::atomic<bool> ended = false;
  Future<> slow = run_in_executor(nullptr, [&] {
    std::this_thread::sleep_for(5ms);
    ended = true;
  });
  co_await shutdown_default_executor();
  EXPECT_TRUE(ended);
  try {
    static_cast<void>(run_in_executor(nullptr, add, 1, 2));
    ADD_FAILURE() << "taken";
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "Executor shutdown has been called");
  }
}

ASYNCIO_TEST(ShutdownDefaultExecutorTest, TwiceAtOnceBothWait) {
  std::atomic<bool> ended = false;
  Future<> slow = run_in_executor(nullptr, [&] {
    std::this_thread::sleep_for(5ms);
    ended = true;
  });
  Task<> first = create_task(shutdown_default_executor());
  co_await shutdown_default_executor();
  EXPECT_TRUE(ended);
  co_await first;
  co_await shutdown_default_executor();
}

ASYNCIO_TEST(ShutdownDefaultExecutorTest, WithoutAnExecutorEndsAtOnce) {
  co_await shutdown_default_executor();
  EXPECT_EQ(elapsed(), 0s);
}

TEST(ShutdownDefaultExecutorRealTimeTest, LeavesWhatTakesTooLong) {
  std::latch started(1);
  auto go = std::make_shared<std::latch>(1);
  auto ended = std::make_shared<std::latch>(1);
  {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    Future<> slow = run_in_executor(*loop, nullptr, [&started, go, ended] {
      started.count_down();
      go->wait();
      ended->count_down();
    });
    started.wait();
    ::testing::internal::CaptureStderr();
    run_until_complete(*loop, shutdown_default_executor(1ms));
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("The executor did not finish joining"),
              std::string::npos);
    loop->close();
  }
  go->count_down();
  ended->wait();
}

ASYNCIO_TEST(ShutdownDefaultExecutorTest, CancelledItCanBeAskedAgain) {
  std::latch go(1);
  Future<> slow = run_in_executor(nullptr, [&] { go.wait(); });
  Task<> task = create_task(shutdown_default_executor());
  co_await sleep(0s);
  task.cancel();
  Result<> result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
  go.count_down();
  co_await shutdown_default_executor();
  co_await slow;
}

// --- The end of a loop

TEST(ThreadsAndLoopEndTest, RunWaitsForTheCallsUnderWay) {
  std::atomic<bool> ended = false;
  run([&]() -> Coroutine<> {
    std::latch started(1);
    Future<> slow = run_in_executor(nullptr, [&] {
      started.count_down();
      std::this_thread::sleep_for(5ms);
      ended = true;
    });
    started.wait();
    co_return;
  });
  EXPECT_TRUE(ended);
}

TEST(ThreadsAndLoopEndTest, ALoopDestroyedMeanwhileWaitsAndDropsTheResult) {
  std::latch started(1);
  std::atomic<bool> ended = false;
  Future<std::string> kept;
  {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    kept = run_in_executor(*loop, nullptr, [&] {
      started.count_down();
      std::this_thread::sleep_for(5ms);
      ended = true;
      return std::string(100, 'x');
    });
    started.wait();
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(kept.done());
}

TEST(ThreadsAndLoopEndTest, AnotherExecutorMayFinishAfterTheLoopIsGone) {
  std::latch started(1), go(1);
  ThreadPoolExecutor pool(1);
  Future<int> kept;
  {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    kept = run_in_executor(*loop, &pool, [&] {
      started.count_down();
      go.wait();
      return 1;
    });
    started.wait();
    Future<int> queued = run_in_executor(*loop, &pool, add, 1, 2);
    loop->close();
  }
  go.count_down();
  pool.join();
  EXPECT_FALSE(kept.done());
}

TEST(ThreadsAndLoopEndTest, ACallThatEndsAfterTheCloseIsDropped) {
  std::latch started(1), go(1);
  ThreadPoolExecutor pool(1);
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Future<int> kept = run_in_executor(*loop, &pool, [&] {
    started.count_down();
    go.wait();
    return 1;
  });
  started.wait();
  loop->close();
  go.count_down();
  pool.join();
  EXPECT_FALSE(kept.done());
  kept.cancel();
  loop = nullptr;
}

TEST(ThreadsAndLoopEndTest, ACallThatEndedBeforeTheCloseIsDropped) {
  ThreadPoolExecutor pool(1);
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Future<int> kept = run_in_executor(*loop, &pool, add, 1, 2);
  pool.join();
  loop->close();
  EXPECT_FALSE(kept.done());
}

TEST(ThreadsAndLoopEndTest, LoopsMayComeAndGoWhileThreadsFinish) {
  ThreadPoolExecutor pool(3);
  for (int i = 0; i < 300; ++i) {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    std::vector<Future<int>> futures;
    for (int j = 0; j < 4; ++j) {
      futures.push_back(run_in_executor(*loop, &pool, add, i, j));
    }
    futures[1].cancel();
    if (i % 2 == 0) loop->close();
    if (i % 3 == 0) futures.clear();
    loop = nullptr;
  }
}

TEST(ThreadsAndLoopEndTest, AClosedLoopTakesNoCall) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->close();
  EXPECT_THROW(static_cast<void>(run_in_executor(*loop, nullptr, add, 1, 2)),
               RuntimeError);
}

ASYNCIO_TEST(ThreadsStressTest, ResultsAndCancellationsRace) {
  ThreadPoolExecutor pool(3);
  int done = 0;
  for (int i = 0; i < 500; ++i) {
    Future<int> future = run_in_executor(&pool, add, i, i);
    if (i % 3 == 0) co_await sleep(0s);
    if (i % 2 == 0) future.cancel();
    Result<int> result = co_await as_result(future);
    if (result) ++done;
  }
  EXPECT_GE(done, 250);
}

}  // namespace
}  // namespace asyncio
