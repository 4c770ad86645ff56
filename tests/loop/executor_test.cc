#include "asyncio/loop/executor.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

class Call final : public Executor::Work {
 public:
  explicit Call(std::function<void()> fn) : fn_(std::move(fn)) {}
  bool was_discarded() const { return discarded_; }

 private:
  void call() noexcept override { fn_(); }
  void discarded() noexcept override { discarded_ = true; }
  std::function<void()> fn_;
  std::atomic<bool> discarded_ = false;
};

std::shared_ptr<Call> make_call(std::function<void()> fn) {
  return std::make_shared<Call>(std::move(fn));
}

TEST(ThreadPoolExecutorTest, RunsWorkOnAnotherThread) {
  std::thread::id where;
  {
    ThreadPoolExecutor pool(1);
    pool.submit(make_call([&] { where = std::this_thread::get_id(); }));
  }
  EXPECT_NE(where, std::thread::id());
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(ThreadPoolExecutorTest, OneThreadRunsWorkInOrder) {
  std::string log;
  {
    ThreadPoolExecutor pool(1);
    for (char c : {'a', 'b', 'c'}) {
      pool.submit(make_call([&log, c] { log += c; }));
    }
  }
  EXPECT_EQ(log, "abc");
}

TEST(ThreadPoolExecutorTest, WorkRunsAtTheSameTimeOnAsManyThreadsAsAllowed) {
  std::latch meeting(3);
  ThreadPoolExecutor pool(3);
  for (int i = 0; i < 3; ++i) {
    pool.submit(make_call([&] { meeting.arrive_and_wait(); }));
  }
  pool.join();
  EXPECT_TRUE(meeting.try_wait());
}

TEST(ThreadPoolExecutorTest, NeverHasMoreThreadsThanAllowed) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  {
    ThreadPoolExecutor pool(2);
    for (int i = 0; i < 100; ++i) {
      pool.submit(make_call([&] {
        std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }));
    }
  }
  EXPECT_LE(threads.size(), 2u);
}

TEST(ThreadPoolExecutorTest, CancelledWorkIsNotCalled) {
  std::latch go(1);
  bool called = false;
  ThreadPoolExecutor pool(1);
  pool.submit(make_call([&] { go.wait(); }));
  auto second = make_call([&] { called = true; });
  pool.submit(second);
  EXPECT_TRUE(second->cancel());
  EXPECT_TRUE(second->was_discarded());
  EXPECT_FALSE(second->cancel());
  go.count_down();
  pool.join();
  EXPECT_FALSE(called);
}

TEST(ThreadPoolExecutorTest, StartedWorkCannotBeCancelled) {
  std::latch started(1), go(1);
  ThreadPoolExecutor pool(1);
  auto work = make_call([&] {
    started.count_down();
    go.wait();
  });
  pool.submit(work);
  started.wait();
  EXPECT_FALSE(work->cancel());
  EXPECT_FALSE(work->was_discarded());
  go.count_down();
}

TEST(ThreadPoolExecutorTest, WorkIsCalledOnceHoweverOftenItIsRun) {
  int calls = 0;
  auto work = make_call([&] { ++calls; });
  work->run();
  work->run();
  EXPECT_EQ(calls, 1);
}

TEST(ThreadPoolExecutorTest, ShutdownRunsWhatIsQueued) {
  int calls = 0;
  ThreadPoolExecutor pool(1);
  for (int i = 0; i < 10; ++i) pool.submit(make_call([&] { ++calls; }));
  pool.shutdown();
  EXPECT_EQ(calls, 10);
}

TEST(ThreadPoolExecutorTest, ShutdownCancelsWhatIsQueuedOnRequest) {
  std::latch started(1), go(1);
  ThreadPoolExecutor pool(1);
  pool.submit(make_call([&] {
    started.count_down();
    go.wait();
  }));
  auto queued = make_call([] { ADD_FAILURE() << "called"; });
  pool.submit(queued);
  started.wait();
  pool.shutdown({.wait = false, .cancel_futures = true});
  EXPECT_TRUE(queued->was_discarded());
  go.count_down();
  pool.shutdown();
}

TEST(ThreadPoolExecutorTest, TakesNoWorkAfterShutdown) {
  ThreadPoolExecutor pool(1);
  pool.shutdown();
  try {
    pool.submit(make_call([] {}));
    ADD_FAILURE() << "taken";
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "cannot schedule new futures after shutdown");
  }
}

TEST(ThreadPoolExecutorTest, EveryoneWhoJoinsWaits) {
  std::latch started(1);
  std::atomic<bool> ended = false;
  ThreadPoolExecutor pool(1);
  pool.submit(make_call([&] {
    started.count_down();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ended = true;
  }));
  started.wait();
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      pool.join();
      EXPECT_TRUE(ended);
    });
  }
}

TEST(ThreadPoolExecutorTest, WorkMaySubmitMore) {
  int depth = 0;
  ThreadPoolExecutor pool(1);
  std::latch done(1);
  std::function<void()> next = [&] {
    if (++depth == 50) {
      done.count_down();
    } else {
      pool.submit(make_call(next));
    }
  };
  pool.submit(make_call(next));
  done.wait();
  EXPECT_EQ(depth, 50);
}

TEST(ThreadPoolExecutorTest, ManyThreadsMaySubmitAtOnce) {
  std::atomic<int> calls = 0;
  {
    ThreadPoolExecutor pool(3);
    std::vector<std::jthread> submitters;
    for (int i = 0; i < 4; ++i) {
      submitters.emplace_back([&] {
        for (int j = 0; j < 250; ++j) pool.submit(make_call([&] { ++calls; }));
      });
    }
    submitters.clear();
  }
  EXPECT_EQ(calls, 1000);
}

TEST(ThreadPoolExecutorTest, NoWorkersIsAValueError) {
  EXPECT_THROW(ThreadPoolExecutor(0), ValueError);
}

TEST(ThreadPoolExecutorTest, DefaultIsTheProcessorsAndFourAtMostThirtyTwo) {
  EXPECT_GE(ThreadPoolExecutor::default_workers(), 5u);
  EXPECT_LE(ThreadPoolExecutor::default_workers(), 32u);
}

}  // namespace
}  // namespace asyncio
