// Everything of //task that waits, cancelled at every moment.
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/task/as_completed.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/async_generator.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/task_group.h"
#include "asyncio/task/threads.h"
#include "asyncio/task/timeout.h"
#include "asyncio/task/wait.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/cancel_everywhere.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Counts those that are alive.
class Alive {
 public:
  explicit Alive(int& count) : count_(&count) { ++*count_; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --*count_; }

 private:
  int* count_;
};

Coroutine<int> work(int& alive, int n) {
  Alive here(alive);
  co_await sleep(1s);
  co_await sleep(0s);
  co_return n;
}

TEST(CancelTaskTest, ASleepInAChainOfAwaits) {
  const int rounds = cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> {
      co_await work(alive, 1);
      co_await work(alive, 2);
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(alive, 0);
  });
  EXPECT_GT(rounds, 5);
}

TEST(CancelTaskTest, CleanupThatAwaits) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int cleaned = 0;
    bool begun = false;
    scene.start([&]() -> Coroutine<> {
      begun = true;
      co_await try_finally([] { return sleep(1s); },
                           [&]() -> Coroutine<> {
                             ++cleaned;
                             co_await sleep(1s);
                           });
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(cleaned, begun ? 1 : 0);
    EXPECT_EQ(end.cancelled(), scene.cancels());
  });
}

TEST(CancelTaskTest, AFutureAndATask) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    Task<int> inner = create_task(work(alive, 1));
    scene.start([inner]() -> Coroutine<> { co_await inner; });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    auto inner_end = co_await as_result(inner);
    EXPECT_EQ(alive, 0);
  });
}

TEST(CancelTaskTest, AGather) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> {
      co_await gather(work(alive, 1), work(alive, 2));
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    co_await sleep(5s);
    EXPECT_EQ(alive, 0);
  });
}

TEST(CancelTaskTest, AShieldLetsTheInnerGoOn) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    Task<int> inner = create_task(work(alive, 7));
    scene.start([inner]() -> Coroutine<> { co_await shield(inner); });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(co_await inner, 7);
  });
}

TEST(CancelTaskTest, AWaitLeavesTheTasksAlone) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    std::vector<Task<int>> tasks;
    tasks.push_back(create_task(work(alive, 1)));
    tasks.push_back(create_task(work(alive, 2)));
    scene.start([&]() -> Coroutine<> {
      auto result = co_await wait(tasks, {.timeout = 5s});
      EXPECT_EQ(result.done.size(), 2u);
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(co_await tasks[0] + co_await tasks[1], 3);
  });
}

TEST(CancelTaskTest, AnAsCompletedLosesNothing) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    std::vector<Task<int>> tasks;
    tasks.push_back(create_task(work(alive, 1)));
    tasks.push_back(create_task(work(alive, 2)));
    auto done = as_completed(tasks);
    int sum = 0;
    scene.start([&]() -> Coroutine<> {
      while (auto task = co_await done.next()) sum += task->result();
    });
    auto end = co_await scene.ended();
    while (auto task = co_await done.next()) sum += task->result();
    EXPECT_EQ(sum, 3);
  });
}

TEST(CancelTaskTest, AWaitForEndsItsChild) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> { co_await wait_for(work(alive, 1), 5s); });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(alive, 0);
  });
}

TEST(CancelTaskTest, ATimeoutThatExpiresMeanwhile) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> {
      co_await with(timeout(1s), [&]() -> Coroutine<> {
        co_await work(alive, 1);
        co_await work(alive, 2);
      });
    });
    auto end = co_await scene.ended();
    EXPECT_FALSE(end.has_value());
    EXPECT_TRUE(end.cancelled() || end.get_if<TimeoutError>() != nullptr);
    EXPECT_EQ(alive, 0);
  });
}

TEST(CancelTaskTest, ATaskGroupWaitsForItsChildren) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> {
      co_await with(TaskGroup(), [&](TaskGroup& group) -> Coroutine<> {
        group.create_task(work(alive, 1));
        group.create_task(work(alive, 2));
        co_await sleep(1s);
      });
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(alive, 0);
  });
}

TEST(CancelTaskTest, ACallOnAThread) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    scene.start([]() -> Coroutine<> {
      EXPECT_EQ(co_await to_thread([] { return 7; }), 7);
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
  });
}

AsyncGenerator<int> numbers(int& alive) {
  Alive here(alive);
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}

TEST(CancelTaskTest, AGeneratorEndsWithItsConsumer) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    int alive = 0;
    scene.start([&]() -> Coroutine<> {
      for (auto it = numbers(alive); auto n = co_await it.next();) {
        co_await sleep(0s);
      }
    });
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(alive, 0);
  });
}

}  // namespace
}  // namespace asyncio
