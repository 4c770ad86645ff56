// Counts calls of operator new: what waits for a lock, an event, a semaphore, a
// condition or a queue allocates nothing, nor does a steady flow of items.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace {
size_t allocations = 0;
}  // namespace

// NOLINTBEGIN
#if ASYNCIO_INTERNAL_POOL
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept {
  std::free(p);
}
#endif
// NOLINTEND

namespace asyncio {
namespace {

constexpr int kRounds = 100;

// Of two tasks that run `one` and `other`, over and over, from their tenth
// round on. Without the pool, under AddressSanitizer, nothing is counted.
template <class One, class Other>
Coroutine<size_t> count_allocations(One one, Other other) {
  size_t before = 0;
  auto repeat_other = [&]() -> Coroutine<> {
    for (int i = 0; i < kRounds; ++i) co_await other();
  };
  Task<> task = create_task(repeat_other());
  for (int i = 0; i < kRounds; ++i) {
    if (i == 10) before = allocations;
    co_await one();
  }
  const size_t count = allocations - before;
  co_await task;
  co_return count;
}

// Both tasks hold it over a turn of the loop, so that each waits for the other.
template <class M>
Coroutine<size_t> count_contention(M& mutex) {
  auto hold = [&]() -> Coroutine<> {
    co_await mutex.acquire();
    co_await sleep(Duration::zero());
    mutex.release();
  };
  const size_t count = co_await count_allocations(hold, hold);
  co_return count;
}

ASYNCIO_TEST(SyncAllocationTest, AContendedLockTakesNone) {
  Lock lock;
  const size_t count = co_await count_contention(lock);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(SyncAllocationTest, AContendedSemaphoreTakesNone) {
  Semaphore semaphore(1);
  const size_t count = co_await count_contention(semaphore);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForAnEventTakesNone) {
  Event ping, pong;
  auto serve = [&]() -> Coroutine<> {
    ping.set();
    co_await pong.wait();
    pong.clear();
  };
  auto answer = [&]() -> Coroutine<> {
    co_await ping.wait();
    ping.clear();
    pong.set();
  };
  const size_t count = co_await count_allocations(serve, answer);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForAConditionTakesNone) {
  Condition condition;
  int turns = 0;
  auto take_turn = [&](int parity) -> Coroutine<> {
    co_await condition.acquire();
    while (turns % 2 != parity) {
      co_await condition.wait();
    }
    ++turns;
    condition.notify_all();
    condition.release();
  };
  auto even = [&] { return take_turn(0); };
  auto odd = [&] { return take_turn(1); };
  const size_t count = co_await count_allocations(even, odd);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(SyncAllocationTest, AFullAndAnEmptyQueueTakeNone) {
  Queue<int> queue(1);
  auto put = [&]() -> Coroutine<> { co_await queue.put(1); };
  auto get = [&]() -> Coroutine<> { co_await queue.get(); };
  const size_t count = co_await count_allocations(put, get);
  EXPECT_EQ(count, 0u);
}

}  // namespace
}  // namespace asyncio
