#include "asyncio/sync/semaphore.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
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

ASYNCIO_TEST(SemaphoreTest, CountsDownAndUp) {
  Semaphore semaphore(2);
  EXPECT_TRUE(co_await semaphore.acquire());
  EXPECT_FALSE(semaphore.locked());
  EXPECT_TRUE(co_await semaphore.acquire());
  EXPECT_TRUE(semaphore.locked());
  semaphore.release();
  EXPECT_FALSE(semaphore.locked());
  Semaphore one;
  co_await one.acquire();
  EXPECT_TRUE(one.locked());
}

TEST(SemaphoreValueTest, RefusesANegativeValue) {
  EXPECT_THAT([] { Semaphore semaphore(-1); },
              testing::ThrowsMessage<ValueError>(
                  "Semaphore initial value must be >= 0"));
}

TEST(SemaphoreValueTest, ABoundedOneRefusesMoreThanItBeganWith) {
  BoundedSemaphore bounded(1);
  Semaphore& semaphore = bounded;
  EXPECT_THAT([&] { semaphore.release(); },
              testing::ThrowsMessage<ValueError>(
                  "BoundedSemaphore released too many times"));
  Semaphore unbounded(1);
  unbounded.release();
}

ASYNCIO_TEST(SemaphoreTest, LetsSoManyThroughInOrder) {
  Semaphore semaphore(2);
  std::string log;
  int inside = 0;
  int most = 0;
  auto work = [&](char name) -> Coroutine<> {
    auto held = co_await semaphore.scoped_acquire();
    log += name;
    most = std::max(most, ++inside);
    co_await sleep(1s);
    --inside;
  };
  std::vector<Task<>> tasks;
  for (char c = 'a'; c <= 'f'; ++c) tasks.push_back(create_task(work(c)));
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "abcdef");
  EXPECT_EQ(most, 2);
  EXPECT_EQ(elapsed(), 3s);
}

ASYNCIO_TEST(SemaphoreTest, ReleaseHandsTheUnitOver) {
  Semaphore semaphore(0);
  auto waiter = create_task(semaphore.acquire());
  co_await turns();
  semaphore.release();
  EXPECT_TRUE(semaphore.locked());
  EXPECT_FALSE(waiter.done());
  co_await turns();
  EXPECT_TRUE(waiter.done());
  EXPECT_TRUE(semaphore.locked());
}

ASYNCIO_TEST(SemaphoreTest, NobodyOvertakesWhoIsInLine) {
  Semaphore semaphore(1);
  std::string log;
  auto work = [&](char name) -> Coroutine<> {
    co_await semaphore.acquire();
    log += name;
  };
  co_await semaphore.acquire();
  create_task(work('a'));
  co_await turns();
  semaphore.release();
  semaphore.release();
  EXPECT_TRUE(semaphore.locked());  // a unit is left, and a in line
  create_task(work('b'), {.eager_start = true});
  EXPECT_EQ(log, "");
  co_await turns(2);
  EXPECT_EQ(log, "ab");
}

// Probe 15 of the semantics: three wait, the first is cancelled, one release.
ASYNCIO_TEST(SemaphoreTest, CancelledAndReleasedInOneTurn) {
  Semaphore semaphore(0);
  auto a = create_task(semaphore.acquire());
  auto b = create_task(semaphore.acquire());
  auto c = create_task(semaphore.acquire());
  co_await turns();
  a.cancel();
  semaphore.release();
  EXPECT_TRUE(semaphore.locked());
  co_await turns();
  EXPECT_TRUE(a.cancelled());
  EXPECT_TRUE(b.done());
  EXPECT_FALSE(c.done());
  c.cancel();
  co_await turns();
}

ASYNCIO_TEST(SemaphoreTest, WokenWaiterThatIsCancelledPassesTheUnitOn) {
  Semaphore semaphore(0);
  auto a = create_task(semaphore.acquire());
  auto b = create_task(semaphore.acquire());
  co_await turns();
  semaphore.release();
  a.cancel();
  co_await turns();
  EXPECT_TRUE(a.cancelled());
  EXPECT_FALSE(b.done());
  co_await turns();
  EXPECT_TRUE(b.done());
  EXPECT_TRUE(semaphore.locked());
}

ASYNCIO_TEST(SemaphoreTest, WokenWaiterThatIsCancelledAloneGivesTheUnitBack) {
  Semaphore semaphore(0);
  auto a = create_task(semaphore.acquire());
  co_await turns();
  semaphore.release();
  a.cancel();
  co_await turns();
  EXPECT_FALSE(semaphore.locked());
  EXPECT_TRUE(co_await semaphore.acquire());
}

ASYNCIO_TEST(SemaphoreTest, WithReleases) {
  Semaphore semaphore(1);
  const bool locked =
      co_await with(semaphore, [](Semaphore& s) { return s.locked(); });
  EXPECT_TRUE(locked);
  EXPECT_FALSE(semaphore.locked());
}

ASYNCIO_TEST(SemaphoreTest, DestroyedWithWaitersLetsGoOfThem) {
  auto semaphore = std::make_unique<Semaphore>(0);
  auto woken = create_task(semaphore->acquire());
  auto late = create_task(semaphore->acquire());
  auto waiting = create_task(semaphore->acquire());
  co_await turns();
  semaphore->release();
  semaphore->release();
  late.cancel();
  semaphore.reset();
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
  EXPECT_EQ(co_await ending(late), "CancelledError");
  EXPECT_FALSE(waiting.done());
  waiting.cancel();
  EXPECT_EQ(co_await ending(waiting), "CancelledError");
}

// Python's semaphore, waiter by waiter.
class SemaphoreModel {
 public:
  explicit SemaphoreModel(int value) : value_(value) {}

  bool locked() const {
    return value_ == 0 ||
           std::any_of(waiters_.begin(), waiters_.end(), [](const Wait& w) {
             return w.state != Wait::kCancelled;
           });
  }
  bool acquire(int task) {
    if (!locked()) {
      --value_;
      return true;
    }
    waiters_.push_back({task});
    return false;
  }
  void release() {
    ++value_;
    wake_next();
  }
  bool waits(int task) { return find(task) != waiters_.end(); }
  void cancel(int task) {
    Wait& w = *find(task);
    if (w.state == Wait::kPending) {
      w.state = Wait::kCancelled;
      ready_.push_back(task);
    } else if (w.state == Wait::kWoken) {
      w.cancelled_late = true;
    }
  }
  void turn(std::vector<int>& log) {
    for (int task : std::exchange(ready_, {})) {
      const Wait w = *find(task);
      waiters_.erase(find(task));
      if (w.cancelled_late) ++value_;
      const bool cancelled = w.cancelled_late || w.state == Wait::kCancelled;
      log.push_back(cancelled ? -task : task);
      while (value_ > 0 && wake_next()) {
      }
    }
  }

 private:
  struct Wait {
    int task;
    enum { kPending, kWoken, kCancelled } state = kPending;
    bool cancelled_late = false;
  };
  std::vector<Wait>::iterator find(int task) {
    return std::find_if(waiters_.begin(), waiters_.end(),
                        [&](const Wait& w) { return w.task == task; });
  }
  bool wake_next() {
    for (Wait& w : waiters_) {
      if (w.state != Wait::kPending) continue;
      --value_;
      w.state = Wait::kWoken;
      ready_.push_back(w.task);
      return true;
    }
    return false;
  }

  int value_;
  std::vector<Wait> waiters_;
  std::vector<int> ready_;
};

Coroutine<> compare_with_model(uint64_t seed) {
  Random random(seed);
  const int value = static_cast<int>(random.below(3));
  Semaphore semaphore(value);
  SemaphoreModel model(value);
  std::vector<int> log, expected;
  std::vector<Task<>> tasks;
  auto acquire = [&](int id) -> Coroutine<> {
    auto result = co_await as_result(semaphore.acquire());
    log.push_back(result ? id : -id);
    if (!result) result.rethrow();
  };
  for (int i = 0; i < 400; ++i) {
    const size_t action = random.below(8);
    if (action < 3) {
      const int id = static_cast<int>(tasks.size()) + 1;
      tasks.push_back(create_task(acquire(id), {.eager_start = true}));
      if (model.acquire(id)) expected.push_back(id);
    } else if (action < 5) {
      semaphore.release();
      model.release();
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
    CO_ASSERT_EQ(semaphore.locked(), model.locked());
    CO_ASSERT_EQ(log, expected);
  }
  for (Task<>& task : tasks) task.cancel();
  co_await turns(3);
}

ASYNCIO_TEST(SemaphoreTest, DoesWhatThePlainModelDoes) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    co_await compare_with_model(seed);
  }
}

}  // namespace
}  // namespace asyncio
