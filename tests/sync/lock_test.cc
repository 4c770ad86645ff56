#include "asyncio/sync/lock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

static_assert(
    std::is_same_v<
        internal::AwaitValue<decltype(std::declval<Lock>().acquire())>, bool>);

Coroutine<> hold(Lock& lock, std::string& log, char name) {
  co_await lock.acquire();
  log += name;
  co_await sleep(0s);
  lock.release();
}

ASYNCIO_TEST(LockTest, AcquiresAFreeLockWithoutATurn) {
  Lock lock;
  bool turned = false;
  get_running_loop().call_soon([&] { turned = true; });
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(co_await lock.acquire());
  EXPECT_TRUE(lock.locked());
  lock.release();
  EXPECT_FALSE(lock.locked());
  EXPECT_FALSE(turned);
  co_await turns();
  EXPECT_TRUE(turned);
}

ASYNCIO_TEST(LockTest, ReleaseOfAFreeLockThrows) {
  Lock lock;
  try {
    lock.release();
    ADD_FAILURE() << "released";
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(), "Lock is not acquired.");
  }
  co_return;
}

ASYNCIO_TEST(LockTest, ServesInOrder) {
  Lock lock;
  std::string log;
  std::vector<Task<>> tasks;
  for (char c = 'a'; c <= 'f'; ++c) {
    tasks.push_back(create_task(hold(lock, log, c)));
  }
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "abcdef");
  EXPECT_FALSE(lock.locked());
}

ASYNCIO_TEST(LockTest, NobodyOvertakesAWokenWaiter) {
  Lock lock;
  co_await lock.acquire();
  auto waiter = create_task(with(lock, [] {}));
  co_await turns();
  lock.release();
  EXPECT_FALSE(lock.locked());  // it has it when it runs
  co_await lock.acquire();      // behind it
  EXPECT_TRUE(waiter.done());
}

ASYNCIO_TEST(LockTest, CancelledWaiterIsSkipped) {
  Lock lock;
  co_await lock.acquire();
  auto a = create_task(lock.acquire());
  auto b = create_task(lock.acquire());
  co_await turns();
  a.cancel();
  co_await turns();
  EXPECT_TRUE(a.cancelled());
  lock.release();
  EXPECT_TRUE(co_await b);
}

ASYNCIO_TEST(LockTest, WokenWaiterThatIsCancelledPassesTheLockOn) {
  for (const bool cancel_first : {true, false}) {
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(lock.acquire());
    auto b = create_task(lock.acquire());
    co_await turns();
    if (cancel_first) a.cancel();
    lock.release();
    if (!cancel_first) a.cancel();
    co_await turns();
    EXPECT_TRUE(a.cancelled());
    EXPECT_FALSE(b.done());  // woken a turn later
    co_await turns();
    EXPECT_TRUE(b.done());
    EXPECT_TRUE(lock.locked());
  }
}

ASYNCIO_TEST(LockTest, OnlyCancelledWaitersMayBeOvertaken) {
  Lock lock;
  co_await lock.acquire();
  auto a = create_task(lock.acquire());
  co_await turns();
  a.cancel();
  lock.release();
  EXPECT_TRUE(co_await lock.acquire());  // at once
  EXPECT_FALSE(a.done());
  EXPECT_EQ(co_await ending(a), "CancelledError");
  EXPECT_TRUE(lock.locked());
}

ASYNCIO_TEST(LockTest, TaskThatCancelledItselfWaitsForNothing) {
  Lock lock;
  co_await lock.acquire();
  auto task = create_task([&]() -> Coroutine<> {
    current_task().cancel();
    co_await lock.acquire();
  });
  co_await turns(2);
  EXPECT_TRUE(task.cancelled());
  lock.release();
  EXPECT_TRUE(co_await lock.acquire());
}

ASYNCIO_TEST(LockTest, CancelledBeforeItsFirstStepNeverAsks) {
  Lock lock;
  auto task = create_task(lock.acquire());
  task.cancel();
  co_await turns();
  EXPECT_TRUE(task.cancelled());
  EXPECT_FALSE(lock.locked());
}

ASYNCIO_TEST(LockTest, WithReleasesOnEveryWayOut) {
  Lock lock;
  const bool inside = co_await with(lock, [&] { return lock.locked(); });
  EXPECT_TRUE(inside);
  EXPECT_FALSE(lock.locked());
  auto fails = [](Lock&) -> Coroutine<> {
    co_await sleep(1s);
    throw ValueError("body");
  };
  EXPECT_EQ(co_await ending(with(lock, fails)), "ValueError");
  EXPECT_FALSE(lock.locked());
}

ASYNCIO_TEST(LockTest, GuardReleasesAtItsEndOrBefore) {
  Lock lock;
  {
    auto held = co_await lock.scoped_acquire();
    EXPECT_TRUE(lock.locked());
    Acquired<Lock> other = std::move(held);
    EXPECT_FALSE(held);
    EXPECT_TRUE(lock.locked());
    other.release();
    EXPECT_FALSE(lock.locked());
    other = co_await lock.scoped_acquire();
    EXPECT_TRUE(lock.locked());
  }
  EXPECT_FALSE(lock.locked());
  {
    auto held = co_await lock.scoped_acquire();
    lock.release();
  }
  EXPECT_FALSE(lock.locked());
}

ASYNCIO_TEST(LockTest, DestroyedWithWaitersLetsGoOfThem) {
  auto lock = std::make_unique<Lock>();
  co_await lock->acquire();
  auto a = create_task(lock->acquire());
  auto b = create_task(lock->acquire());
  co_await turns();
  lock.reset();
  co_await turns(3);
  EXPECT_FALSE(a.done());
  a.cancel();
  b.cancel();
  EXPECT_EQ(co_await ending(a), "CancelledError");
  EXPECT_EQ(co_await ending(b), "CancelledError");
}

ASYNCIO_TEST(LockTest, DestroyedAfterAWakeUpFailsTheWaiter) {
  auto lock = std::make_unique<Lock>();
  co_await lock->acquire();
  auto woken = create_task(lock->acquire());
  co_await turns();
  lock->release();
  lock.reset();
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
}

ASYNCIO_TEST(LockTest, DestroyedAfterAWakeUpAndACancellation) {
  auto lock = std::make_unique<Lock>();
  co_await lock->acquire();
  auto woken = create_task(lock->acquire());
  co_await turns();
  lock->release();
  woken.cancel();
  lock.reset();
  EXPECT_EQ(co_await ending(woken), "CancelledError");
}

TEST(LockLoopTest, TasksLeftOverByRunMayOutliveTheLock) {
  Task<bool> left;
  run([&]() -> Coroutine<> {
    Lock lock;
    co_await lock.acquire();
    left = create_task(lock.acquire());
    co_await turns();
  });
  EXPECT_TRUE(left.cancelled());
}

TEST(LockLoopTest, LoopDestroyedWithWaitersLeavesTheLockUsable) {
  Lock lock;
  {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    run_until_complete(*loop, lock.acquire());
    create_task(*loop, lock.acquire());
    run_until_complete(*loop, sleep(0s));
  }
  lock.release();
  EXPECT_TRUE(run(lock.acquire()));
}

TEST(LockLoopTest, BelongsToTheFirstLoopThatWaits) {
  Lock lock;
  run([&]() -> Coroutine<> {
    co_await lock.acquire();
    auto waiter = create_task(lock.acquire());
    co_await turns();
    lock.release();
    co_await waiter;
  });
  EXPECT_TRUE(lock.locked());
  const std::string name = run(ending(lock.acquire()));
  EXPECT_EQ(name, "RuntimeError");
  try {
    run(lock.acquire());
    ADD_FAILURE() << "acquired";
  } catch (const RuntimeError& e) {
    EXPECT_THAT(e.what(), testing::MatchesRegex(
                              "<Lock object at 0x[0-9a-f]+> is bound to a "
                              "different event loop"));
  }
  lock.release();
  EXPECT_TRUE(run(lock.acquire()));  // no wait, no loop
}

TEST(LockLoopTest, DebugModeNamesTheWaitersOfADestroyedLock) {
  testing::internal::CaptureStderr();
  run(
      [&]() -> Coroutine<> {
        auto lock = std::make_unique<Lock>();
        co_await lock->acquire();
        create_task(lock->acquire(), {.name = "one"});
        create_task(lock->acquire(), {.name = "two"});
        co_await turns();
        lock.reset();
      },
      {.debug = true});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "RuntimeWarning: Lock was destroyed while tasks wait in it: 'one' "
            "'two'\n");
}

// Python's lock, waiter by waiter, beside ours: random acquires, releases and
// cancellations, some in the same turn.
class LockModel {
 public:
  struct Wait {
    int task;
    enum { kPending, kWoken, kCancelled } state = kPending;
    bool cancelled_late = false;
  };

  // Whether it is acquired at once.
  bool acquire(int task) {
    bool all_cancelled = true;
    for (const Wait& w : waiters_) all_cancelled &= w.state == Wait::kCancelled;
    if (!locked_ && all_cancelled) return locked_ = true;
    waiters_.push_back({task});
    return false;
  }
  void release() {
    locked_ = false;
    wake_first();
  }
  // Whether the task is made ready by it.
  bool cancel(int task) {
    Wait& w = *find(task);
    if (w.state == Wait::kPending) {
      w.state = Wait::kCancelled;
      ready_.push_back(task);
      return true;
    }
    if (w.state == Wait::kWoken) w.cancelled_late = true;
    return false;
  }
  bool waits(int task) { return find(task) != waiters_.end(); }
  // Runs what is ready; who acquires, in order, is appended to `log`.
  void turn(std::vector<int>& log) {
    for (int task : std::exchange(ready_, {})) {
      const Wait w = *find(task);
      waiters_.erase(find(task));
      if (w.state == Wait::kCancelled || w.cancelled_late) {
        log.push_back(-task);
        if (!locked_) wake_first();
      } else {
        log.push_back(task);
        locked_ = true;
      }
    }
  }
  bool locked() const { return locked_; }

 private:
  std::vector<Wait>::iterator find(int task) {
    return std::find_if(waiters_.begin(), waiters_.end(),
                        [&](const Wait& w) { return w.task == task; });
  }
  void wake_first() {
    if (waiters_.empty() || waiters_[0].state != Wait::kPending) return;
    waiters_[0].state = Wait::kWoken;
    ready_.push_back(waiters_[0].task);
  }

  bool locked_ = false;
  std::vector<Wait> waiters_;
  std::vector<int> ready_;
};

Coroutine<> compare_with_model(uint64_t seed) {
  Random random(seed);
  Lock lock;
  LockModel model;
  std::vector<int> log, expected;
  std::vector<Task<>> tasks;
  auto acquire = [&](int id) -> Coroutine<> {
    auto result = co_await as_result(lock.acquire());
    log.push_back(result ? id : -id);
    if (!result) result.rethrow();
  };
  for (int i = 0; i < 400; ++i) {
    const size_t action = random.below(8);
    if (action < 2) {
      // Eagerly, so that it asks here and now.
      const int id = static_cast<int>(tasks.size()) + 1;
      tasks.push_back(create_task(acquire(id), {.eager_start = true}));
      if (model.acquire(id)) expected.push_back(id);
    } else if (action < 4) {
      if (lock.locked()) {
        lock.release();
        model.release();
      }
    } else if (action < 6 && !tasks.empty()) {
      const int id = static_cast<int>(random.below(tasks.size())) + 1;
      if (model.waits(id)) {
        tasks[id - 1].cancel();
        model.cancel(id);
      }
    } else {
      co_await turns();
      model.turn(expected);
    }
    CO_ASSERT_EQ(lock.locked(), model.locked());
    CO_ASSERT_EQ(log, expected);
  }
  for (Task<>& task : tasks) task.cancel();
  co_await turns(3);
}

ASYNCIO_TEST(LockTest, DoesWhatThePlainModelDoes) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    co_await compare_with_model(seed);
  }
}

}  // namespace
}  // namespace asyncio
