// Counts calls of operator new: awaiting, sleeping and waiting allocate nothing
// once the pool is warm, and a task takes its frame and one block, both from
// the pool.
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
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

using namespace std::chrono_literals;

// Of a hundred rounds of `body`, after one that fills the pool. Without the
// pool, under AddressSanitizer, nothing is counted.
template <class F>
Coroutine<size_t> count_allocations(F body) {
  co_await body();
  const size_t before = allocations;
  for (int i = 0; i < 100; ++i) co_await body();
  co_return allocations - before;
}

Coroutine<int> one() { co_return 1; }

ASYNCIO_TEST(AllocationTest, AnAwaitTakesNone) {
  auto body = []() -> Coroutine<> { co_await one(); };
  const size_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(AllocationTest, ASleepTakesNone) {
  auto body = []() -> Coroutine<> {
    co_await sleep(1ms);
    co_await sleep(0s);
  };
  const size_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(AllocationTest, AFutureAndTheWaitForItTakeNone) {
  auto body = []() -> Coroutine<> {
    Future<int> f = create_future<int>();
    get_running_loop().call_soon([f] { f.set_result(1); });
    co_await f;
  };
  const size_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0u);
}

ASYNCIO_TEST(AllocationTest, ATaskItsEndAndItsCancellationTakeNone) {
  auto body = []() -> Coroutine<> {
    Task<int> task = create_task(one());
    co_await task;
    Task<> nap = create_task(sleep(1h));
    co_await sleep(0s);
    nap.cancel();
  };
  const size_t count = co_await count_allocations(body);
  EXPECT_EQ(count, 0u);
}

}  // namespace
}  // namespace asyncio
