// Counts calls of operator new: a callback that is scheduled, posted or put
// off, and its cancellation, take blocks of the pool and no other memory.
#include <chrono>
#include <cstdint>
#include <semaphore>
#include <thread>

#include "gtest/gtest.h"

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/handle.h"
#include "asyncio/tests/loop/loop_fixture.h"
#include "asyncio/tests/tools/allocations.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

class LoopAllocationTest : public LoopFixture {
 protected:
  // Of a thousand rounds of `body`, after as many that fill the pool.
  template <class F>
  int64_t count_allocations(F body) {
    for (int i = 0; i < 1000; ++i) body();
    const int64_t before = allocations_beside_pool();
    for (int i = 0; i < 1000; ++i) body();
    return allocations_beside_pool() - before;
  }

  int calls = 0;
};

TEST_F(LoopAllocationTest, ACallSoonAndItsCancellationTakeNone) {
  EXPECT_EQ(count_allocations([&] {
              loop.call_soon([&] { ++calls; });
              Handle dropped = loop.call_soon([&] { calls += 1000; });
              dropped.cancel();
              run_iterations();
            }),
            0);
  EXPECT_EQ(calls, 2000);
}

TEST_F(LoopAllocationTest, ACallLaterAndItsCancellationTakeNone) {
  EXPECT_EQ(count_allocations([&] {
              loop.call_later(1s, [&] { ++calls; });
              TimerHandle dropped =
                  loop.call_later(500ms, [&] { calls += 1000; });
              dropped.cancel();
              run_for(1s);
            }),
            0);
  EXPECT_EQ(calls, 2000);
}

TEST_F(LoopAllocationTest, APostOfTheLoopsOwnThreadTakesNone) {
  EXPECT_EQ(count_allocations([&] {
              loop.call_soon_threadsafe([&] { ++calls; });
              run_iterations();
            }),
            0);
  EXPECT_EQ(calls, 2000);
}

// The blocks travel from the thread's pool to the loop's, and back by the
// depot.
TEST(LoopThreadAllocationTest, APostOfAnotherThreadTakesNone) {
  const auto loop = new_event_loop();
  int64_t count = -1;
  std::thread thread([&] {
    std::binary_semaphore done(0);
    auto post = [&] {
      for (int i = 0; i < 5000; ++i) {
        loop->call_soon_threadsafe([&] { done.release(); });
        done.acquire();
      }
    };
    // So many blocks that the depot has some when this thread has none: the loop's
    // keeps up to two full lists.
    std::binary_semaphore begun(0);
    int calls = 0;
    loop->call_soon_threadsafe([&] { begun.acquire(); });
    for (int i = 0; i < 3 * internal::FramePool::kBatch; ++i) {
      loop->call_soon_threadsafe([&] { ++calls; });
    }
    begun.release();
    post();
    const int64_t before = allocations_beside_pool();
    post();
    count = allocations_beside_pool() - before;
    loop->call_soon_threadsafe([&] { loop->stop(); });
  });
  loop->run_forever();
  thread.join();
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace asyncio
