// Every primitive, cancelled at every moment: nothing is lost to a cancellation.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/sync/barrier.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/rw_lock.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/cancel_everywhere.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

TEST(CancelSyncTest, ALockGoesToTheNextInLine) {
  const int rounds = cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Lock lock;
    co_await lock.acquire();
    scene.start([&]() -> Coroutine<> {
      co_await with(lock, [] { return sleep(1s); });
    });
    Task<bool> next = create_task(lock.acquire());
    co_await sleep(1s);
    lock.release();
    EXPECT_TRUE(co_await next);
    lock.release();
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_FALSE(lock.locked());
  });
  EXPECT_GT(rounds, 5);
}

TEST(CancelSyncTest, ALockIsTakenEitherWhollyOrNotAtAll) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Lock lock;
    co_await lock.acquire();
    bool taken = false;
    scene.start([&]() -> Coroutine<> {
      co_await lock.acquire();
      taken = true;
    });
    co_await sleep(0s);
    lock.release();
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    EXPECT_EQ(lock.locked(), taken);
  });
}

TEST(CancelSyncTest, AnRWLockGoesToTheNextInLine) {
  for (const bool write : {true, false}) {
    cancel_everywhere([write](CancelScene& scene) -> Coroutine<> {
      RWLock lock;
      co_await lock.acquire_write();
      scene.start([&]() -> Coroutine<> {
        if (write) {
          co_await with(lock.writing(), [] { return sleep(1s); });
        } else {
          co_await with(lock.reading(), [] { return sleep(1s); });
        }
      });
      Task<bool> reader = create_task(lock.acquire_read());
      Task<bool> writer = create_task(lock.acquire_write());
      co_await sleep(1s);
      lock.release_write();
      co_await reader;
      lock.release_read();
      co_await writer;
      lock.release_write();
      auto end = co_await scene.ended();
      EXPECT_EQ(end.cancelled(), scene.cancels());
      EXPECT_FALSE(lock.reading().locked());
      EXPECT_FALSE(lock.writing().locked());
    });
  }
}

TEST(CancelSyncTest, AnEventWakesTheOthers) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Event event;
    scene.start([&]() -> Coroutine<> { co_await event.wait(); });
    Task<bool> other = create_task(event.wait());
    co_await sleep(1s);
    event.set();
    EXPECT_TRUE(co_await other);
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
  });
}

TEST(CancelSyncTest, ASemaphoreKeepsItsUnits) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    BoundedSemaphore semaphore(2);
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    scene.start([&]() -> Coroutine<> {
      auto held = co_await semaphore.scoped_acquire();
      co_await sleep(1s);
    });
    Task<bool> next = create_task(semaphore.acquire());
    co_await sleep(1s);
    semaphore.release();
    semaphore.release();
    EXPECT_TRUE(co_await next);
    semaphore.release();
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
    // Both units are back: two can be taken at once, and a third cannot be
    // given.
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
    semaphore.release();
    semaphore.release();
    EXPECT_THROW(semaphore.release(), ValueError);
  });
}

TEST(CancelSyncTest, AConditionIsLeftWithItsLock) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Condition condition;
    scene.start([&]() -> Coroutine<> {
      co_await condition.acquire();
      auto waited = co_await as_result(condition.wait());
      EXPECT_TRUE(condition.locked());
      condition.release();
      waited.rethrow();
    });
    bool other_woken = false;
    Task<> other = create_task([&]() -> Coroutine<> {
      co_await condition.acquire();
      co_await condition.wait();
      other_woken = true;
      condition.release();
    });
    co_await sleep(1s);
    co_await condition.acquire();
    condition.notify(1);
    condition.release();
    co_await sleep(1s);
    // One notification, and it is not lost: it went to one of the two.
    const bool was_woken = other_woken;
    co_await condition.acquire();
    condition.notify_all();
    condition.release();
    co_await other;
    auto end = co_await scene.ended();
    if (end.cancelled()) {
      EXPECT_TRUE(was_woken || scene.cancels());
    }
    EXPECT_FALSE(condition.locked());
  });
}

TEST(CancelSyncTest, ABarrierWaitsForAnotherInstead) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Barrier barrier(2);
    scene.start([&]() -> Coroutine<> { co_await barrier.wait(); });
    co_await sleep(1s);
    Task<size_t> second = create_task(barrier.wait());
    co_await sleep(1s);
    if (!second.done()) co_await barrier.wait();
    co_await second;
    auto end = co_await scene.ended();
    EXPECT_EQ(barrier.n_waiting(), 0u);
    EXPECT_FALSE(barrier.broken());
  });
}

TEST(CancelSyncTest, AQueueLosesNoItemToAGetter) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Queue<std::unique_ptr<int>> queue;
    std::vector<int> got;
    scene.start([&]() -> Coroutine<> {
      for (int i = 0; i < 2; ++i) {
        auto item = co_await queue.get();
        got.push_back(*item);
      }
    });
    co_await sleep(1s);
    queue.put_nowait(std::make_unique<int>(1));
    co_await sleep(1s);
    queue.put_nowait(std::make_unique<int>(2));
    auto end = co_await scene.ended();
    while (!queue.empty()) got.push_back(*queue.get_nowait());
    EXPECT_EQ(got, (std::vector<int>{1, 2}));
  });
}

TEST(CancelSyncTest, AQueueLosesNoItemOfAPutter) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Queue<int> queue(1);
    int put = 0;
    scene.start([&]() -> Coroutine<> {
      for (int i = 1; i <= 3; ++i) {
        co_await queue.put(i);
        put = i;
      }
    });
    std::vector<int> got;
    for (int i = 0; i < 3; ++i) {
      co_await sleep(1s);
      while (!queue.empty()) got.push_back(queue.get_nowait());
    }
    auto end = co_await scene.ended();
    while (!queue.empty()) got.push_back(queue.get_nowait());
    // All that was put is there, in order, and nothing else.
    EXPECT_EQ(static_cast<int>(got.size()), put);
    for (int i = 0; i < put; ++i) EXPECT_EQ(got[i], i + 1);
  });
}

TEST(CancelSyncTest, AQueueIsJoinedByOthers) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Queue<int> queue;
    queue.put_nowait(1);
    scene.start([&]() -> Coroutine<> { co_await queue.join(); });
    Task<> other = create_task([&]() -> Coroutine<> { co_await queue.join(); });
    co_await sleep(1s);
    static_cast<void>(queue.get_nowait());
    queue.task_done();
    co_await other;
    auto end = co_await scene.ended();
    EXPECT_EQ(end.cancelled(), scene.cancels());
  });
}

}  // namespace
}  // namespace asyncio
