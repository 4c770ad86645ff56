// Counts calls of operator new: awaiting, sleeping and waiting allocate nothing
// once the pool is warm, and a task takes its frame and one block, both from
// the pool.
#include <chrono>
#include <cstdint>

#include "gtest/gtest.h"

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/select.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/tools/allocations.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 100;

// Of so many rounds of `body`, after one that fills the pool.
template <class F>
Coroutine<int64_t> count_allocations(F body) {
  co_await body();
  const int64_t before = allocations_beside_pool();
  for (int i = 0; i < kRounds; ++i) co_await body();
  co_return allocations_beside_pool() - before;
}

Coroutine<int> one() { co_return 1; }

ASYNCIO_TEST(AllocationTest, AnAwaitTakesNone) {
  auto body = []() -> Coroutine<> { co_await one(); };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(AllocationTest, ASleepTakesNone) {
  auto body = []() -> Coroutine<> {
    co_await sleep(1ms);
    co_await sleep(0s);
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(AllocationTest, AFutureAndTheWaitForItTakeNone) {
  auto body = []() -> Coroutine<> {
    Future<int> f = create_future<int>();
    get_running_loop().call_soon([f] { f.set_result(1); });
    co_await f;
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(AllocationTest, ATaskItsEndAndItsCancellationTakeNone) {
  auto body = []() -> Coroutine<> {
    Task<int> task = create_task(one());
    co_await task;
    Task<> nap = create_task(sleep(1h));
    co_await sleep(0s);
    nap.cancel();
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(AllocationTest, ACancellationTakenAsAResultTakesNone) {
  auto nap = []() -> Coroutine<> {
    const Result<> end = co_await as_result(sleep(1h));
    EXPECT_FALSE(end.has_value());
  };
  auto body = [&]() -> Coroutine<> {
    Task<> task = create_task(nap());
    co_await sleep(0s);
    task.cancel();
    co_await task;
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

ASYNCIO_TEST(AllocationTest, ATaskCancelledBeforeItRunsTakesNone) {
  auto body = []() -> Coroutine<> {
    Task<int> task = create_task(one());
    task.cancel();
    co_await sleep(0s);
    EXPECT_TRUE(task.cancelled());
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0);
}

// The frame and the tasks are the pool's.
ASYNCIO_TEST(AllocationTest, ASelectAndARaceTakeOneBlock) {
  constexpr int kBlocks = ASYNCIO_INTERNAL_POOL ? kRounds : 0;
  auto body = []() -> Coroutine<> {
    const auto first = co_await select(one(), sleep(1h));
    EXPECT_EQ(first.index(), 0u);
  };
  const int64_t count = co_await count_allocations(body);
  EXPECT_EQ(count, kBlocks);
  auto racing = []() -> Coroutine<> { co_await race(one(), one()); };
  const int64_t race_count = co_await count_allocations(racing);
  EXPECT_EQ(race_count, kBlocks);
}

}  // namespace
}  // namespace asyncio
