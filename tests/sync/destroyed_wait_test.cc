// A waiter that was given something, and whose frame is destroyed before its turn
// has come: with its loop, or with the generator that it is in. What it was given
// goes on to the next, or back.
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/sync/capacity_limiter.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/once.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/rw_lock.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/async_generator.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

// Runs `scene` on a loop that goes in the very turn in which it ends.
void run_in_a_loop_that_goes(std::function<Coroutine<>()> scene) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  auto body = [scene]() -> Coroutine<> {
    co_await scene();
    get_running_loop().stop();
  };
  Task<> task = create_task(*loop, body);
  loop->run_forever();
  EXPECT_TRUE(task.done());
}

TEST(DestroyedWaitTest, ALoopThatGoesGivesTheUnitOfASemaphoreBack) {
  Semaphore semaphore(1);
  run_in_a_loop_that_goes([&]() -> Coroutine<> {
    co_await semaphore.acquire();
    create_task(semaphore.acquire());
    create_task(semaphore.acquire());
    co_await turns();
    semaphore.release();
    EXPECT_TRUE(semaphore.locked());
  });
  EXPECT_FALSE(semaphore.locked());
  run([&]() -> Coroutine<> {
    co_await semaphore.acquire();
    EXPECT_TRUE(semaphore.locked());
  });
}

TEST(DestroyedWaitTest, ALoopThatGoesLeavesTheRWLock) {
  for (const bool write : {false, true}) {
    RWLock lock;
    run_in_a_loop_that_goes([&]() -> Coroutine<> {
      co_await lock.acquire_write();
      if (write) {
        create_task(lock.acquire_write());
      } else {
        create_task(lock.acquire_read());
        create_task(lock.acquire_read());
      }
      co_await turns();
      lock.release_write();
      EXPECT_EQ(lock.writing().locked(), write);
      EXPECT_EQ(lock.reading().locked(), !write);
    });
    EXPECT_FALSE(lock.writing().locked());
    EXPECT_FALSE(lock.reading().locked());
  }
}

TEST(DestroyedWaitTest, ALoopThatGoesGivesTheTokenBack) {
  CapacityLimiter limiter(1);
  run_in_a_loop_that_goes([&]() -> Coroutine<> {
    const int other = 0;
    limiter.acquire_on_behalf_of_nowait(&other);
    create_task(limiter.acquire());
    co_await turns();
    limiter.release_on_behalf_of(&other);
    EXPECT_EQ(limiter.available_tokens(), 0);
  });
  EXPECT_EQ(limiter.available_tokens(), 1);
}

TEST(DestroyedWaitTest, ALoopThatGoesTakesNoItem) {
  Queue<int> queue(1);
  run_in_a_loop_that_goes([&]() -> Coroutine<> {
    create_task(queue.get());
    co_await turns();
    queue.put_nowait(7);
  });
  EXPECT_EQ(queue.get_nowait(), 7);
}

// The generator goes while it is in `wait`, woken by `wake` in the same turn; the
// next to call `wait` has its turn all the same.
Coroutine<> lose_first(std::function<Coroutine<>()> wait,
                       std::function<void()> wake) {
  std::string log;
  auto generate = [&]() -> AsyncGenerator<int> {
    co_await wait();
    log += "generated";
    co_yield 1;
  };
  auto drive = [&](AsyncGenerator<int>& generator) -> Coroutine<> {
    std::string end = co_await ending(generator.next());
    log += end + " ";
  };
  auto follow = [&]() -> Coroutine<> {
    co_await wait();
    log += "next";
  };
  std::optional<AsyncGenerator<int>> generator(generate());
  Task<> driver = create_task(drive(*generator));
  co_await turns();
  Task<> follower = create_task(follow());
  co_await turns();
  wake();
  generator.reset();
  co_await turns(3);
  EXPECT_EQ(log, "RuntimeError next");
  follower.cancel();
  co_await turns();
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheLockToTheNext) {
  Lock lock;
  co_await lock.acquire();
  co_await lose_first([&]() -> Coroutine<> { co_await lock.acquire(); },
                      [&] { lock.release(); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheUnitToTheNext) {
  Semaphore semaphore(0);
  co_await lose_first([&]() -> Coroutine<> { co_await semaphore.acquire(); },
                      [&] { semaphore.release(); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheRWLockToTheNext) {
  RWLock lock;
  co_await lock.acquire_write();
  co_await lose_first([&]() -> Coroutine<> { co_await lock.acquire_write(); },
                      [&] { lock.release_write(); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheTokenToTheNext) {
  CapacityLimiter limiter(1);
  const int other = 0;
  limiter.acquire_on_behalf_of_nowait(&other);
  co_await lose_first([&]() -> Coroutine<> { co_await limiter.acquire(); },
                      [&] { limiter.release_on_behalf_of(&other); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheItemToTheNext) {
  Queue<int> queue;
  co_await lose_first([&]() -> Coroutine<> { co_await queue.get(); },
                      [&] { queue.put_nowait(1); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheRoomToTheNext) {
  Queue<int> queue(1);
  queue.put_nowait(0);
  co_await lose_first([&]() -> Coroutine<> { co_await queue.put(1); },
                      [&] { queue.get_nowait(); });
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheNotificationToTheNext) {
  Condition changed;
  co_await lose_first(
      [&]() -> Coroutine<> {
        co_await changed.acquire();
        co_await changed.wait();
        changed.release();
      },
      [&] {
        auto notify = [&]() -> Coroutine<> {
          co_await changed.acquire();
          changed.notify();
          changed.release();
        };
        create_task(notify(), {.eager_start = true});
      });
}

// Notified, and in line for the lock.
ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheNotificationAndTheLockToTheNext) {
  Condition changed;
  std::string log;
  auto generate = [&]() -> AsyncGenerator<int> {
    co_await changed.acquire();
    co_await changed.wait();
    co_yield 1;
  };
  auto drive = [&](AsyncGenerator<int>& generator) -> Coroutine<> {
    std::string end = co_await ending(generator.next());
    log += end + " ";
  };
  auto follow = [&]() -> Coroutine<> {
    co_await changed.acquire();
    co_await changed.wait();
    log += "next";
    changed.release();
  };
  std::optional<AsyncGenerator<int>> generator(generate());
  Task<> driver = create_task(drive(*generator));
  co_await turns();
  Task<> follower = create_task(follow());
  co_await turns();
  co_await changed.acquire();
  changed.notify();
  co_await turns(2);  // the generator was notified and waits for the lock
  changed.release();
  generator.reset();
  co_await turns(4);
  EXPECT_EQ(log, "RuntimeError next");
  EXPECT_FALSE(changed.locked());
}

ASYNCIO_TEST(DestroyedGeneratorTest, LeavesTheTurnOfAOnceToTheNext) {
  Once once;
  Lock lock;
  co_await lock.acquire();
  bool fail = true;
  auto initialize = [&]() -> Coroutine<> {
    co_await lock.acquire();
    lock.release();
    if (std::exchange(fail, false)) throw ValueError("the first one fails");
  };
  Task<std::string> first = create_task(ending(once.call(initialize)));
  co_await turns();
  bool next = false;
  auto generate = [&]() -> AsyncGenerator<int> {
    co_await once.call(initialize);
    co_yield 1;
  };
  auto drive = [&](AsyncGenerator<int>& generator) -> Coroutine<> {
    std::string end = co_await ending(generator.next());
    EXPECT_EQ(end, "RuntimeError");
  };
  auto follow = [&]() -> Coroutine<> {
    co_await once.call(initialize);
    next = true;
  };
  std::optional<AsyncGenerator<int>> generator(generate());
  Task<> driver = create_task(drive(*generator));
  co_await turns();
  Task<> follower = create_task(follow());
  co_await turns();
  lock.release();
  while (!first.done()) co_await turns();
  generator.reset();
  co_await turns(4);
  EXPECT_TRUE(next);
  follower.cancel();
  co_await turns();
}

}  // namespace
}  // namespace asyncio
