// Counts calls of operator new: what waits for a primitive allocates nothing,
// nor does a steady flow of items.
#include <chrono>
#include <cstdint>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/sync/broadcast.h"
#include "asyncio/sync/capacity_limiter.h"
#include "asyncio/sync/channel.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/oneshot.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/rw_lock.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/sync/ticker.h"
#include "asyncio/sync/watch.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/tools/allocations.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 100;

// Of two tasks that run `one` and `other`, over and over, from their tenth
// round on.
template <class One, class Other>
Coroutine<int64_t> count_allocations(One one, Other other) {
  int64_t before = 0;
  auto repeat_other = [&]() -> Coroutine<> {
    for (int i = 0; i < kRounds; ++i) co_await other();
  };
  Task<> task = create_task(repeat_other());
  for (int i = 0; i < kRounds; ++i) {
    if (i == 10) before = allocations_beside_pool();
    co_await one();
  }
  const int64_t count = allocations_beside_pool() - before;
  co_await task;
  co_return count;
}

// Both tasks hold it over a turn of the loop, so that each waits for the other.
template <class M>
Coroutine<int64_t> count_contention(M& mutex) {
  auto hold = [&]() -> Coroutine<> {
    co_await mutex.acquire();
    co_await sleep(Duration::zero());
    mutex.release();
  };
  const int64_t count = co_await count_allocations(hold, hold);
  co_return count;
}

// Of tasks that begin the wait of `wait` and are cancelled in it.
template <class W>
Coroutine<int64_t> count_waiting(W wait) {
  auto nothing = []() -> Coroutine<> { co_await sleep(Duration::zero()); };
  auto begin = [&]() -> Coroutine<> {
    auto task = create_task(wait());
    co_await sleep(Duration::zero());
    EXPECT_TRUE(task.cancel());
    co_await sleep(Duration::zero());
    EXPECT_TRUE(task.cancelled());
  };
  const int64_t count = co_await count_allocations(begin, nothing);
  co_return count;
}

ASYNCIO_TEST(SyncAllocationTest, AContendedLockTakesNone) {
  Lock lock;
  const int64_t count = co_await count_contention(lock);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, AContendedSemaphoreTakesNone) {
  Semaphore semaphore(1);
  const int64_t count = co_await count_contention(semaphore);
  EXPECT_EQ(count, 0);
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
  const int64_t count = co_await count_allocations(serve, answer);
  EXPECT_EQ(count, 0);
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
  const int64_t count = co_await count_allocations(even, odd);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, AQueueThatIsFilledAndEmptiedTakesNone) {
  Queue<int64_t> queue;
  int64_t before = 0;
  for (int round = 0; round < kRounds; ++round) {
    if (round == 1) before = allocations_beside_pool();
    for (int64_t i = 0; i < 1000; ++i) queue.put_nowait(i);
    for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(queue.get_nowait(), i);
  }
  EXPECT_EQ(allocations_beside_pool() - before, 0);
  co_return;
}

ASYNCIO_TEST(SyncAllocationTest, AFullAndAnEmptyQueueTakeNone) {
  Queue<int> queue(1);
  auto put = [&]() -> Coroutine<> { co_await queue.put(1); };
  auto get = [&]() -> Coroutine<> { co_await queue.get(); };
  const int64_t count = co_await count_allocations(put, get);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, ReadersAndWritersThatWaitTakeNone) {
  RWLock lock;
  auto read = [&]() -> Coroutine<> {
    co_await lock.acquire_read();
    co_await sleep(Duration::zero());
    lock.release_read();
  };
  auto write = [&]() -> Coroutine<> {
    co_await lock.acquire_write();
    co_await sleep(Duration::zero());
    lock.release_write();
  };
  const int64_t count = co_await count_allocations(read, write);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, AFullAndAnEmptyChannelTakeNone) {
  Channel<int> channel(1);
  auto send = [&]() -> Coroutine<> { co_await channel.sender.send(1); };
  auto receive = [&]() -> Coroutine<> { co_await channel.receiver.recv(); };
  const int64_t count = co_await count_allocations(send, receive);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, TheTicksOfATickerTakeNone) {
  Ticker fast(1ms), slow(3ms);
  auto tick_fast = [&]() -> Coroutine<> { co_await fast.tick(); };
  auto tick_slow = [&]() -> Coroutine<> { co_await slow.tick(); };
  const int64_t count = co_await count_allocations(tick_fast, tick_slow);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForACapacityLimiterTakesNone) {
  CapacityLimiter limiter(1);
  co_await limiter.acquire();
  auto wait = [&]() -> Coroutine<> { co_await limiter.acquire(); };
  const int64_t count = co_await count_waiting(wait);
  EXPECT_EQ(count, 0);
  limiter.release();
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForAOneshotTakesNone) {
  auto [sender, receiver] = Oneshot<int>();
  auto wait = [&receiver = receiver]() -> Coroutine<> {
    co_await receiver.recv();
  };
  const int64_t count = co_await count_waiting(wait);
  EXPECT_EQ(count, 0);
  EXPECT_TRUE(sender.send(1));
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForAWatchTakesNone) {
  auto [sender, receiver] = Watch<int>(0);
  auto wait = [&receiver = receiver]() -> Coroutine<> {
    co_await receiver.changed();
  };
  const int64_t count = co_await count_waiting(wait);
  EXPECT_EQ(count, 0);
  sender.send(1);
}

ASYNCIO_TEST(SyncAllocationTest, TheWaitForABroadcastTakesNone) {
  auto [sender, receiver] = Broadcast<int>(4);
  auto wait = [&receiver = receiver]() -> Coroutine<> {
    co_await receiver.recv();
  };
  const int64_t count = co_await count_waiting(wait);
  EXPECT_EQ(count, 0);
  sender.send(1);
}

}  // namespace
}  // namespace asyncio
