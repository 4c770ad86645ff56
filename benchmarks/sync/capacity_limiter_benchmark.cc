// A limiter without contention, beside a semaphore, which knows no borrowers.
//
//   bazel run -c opt //benchmarks/sync:capacity_limiter_benchmark

#include "asyncio/sync/capacity_limiter.h"

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_Semaphore(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Semaphore semaphore(10);
    for (auto _ : state) {
      co_await semaphore.acquire();
      semaphore.release();
    }
  });
}
BENCHMARK(BM_Semaphore);

void BM_CapacityLimiter(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    CapacityLimiter limiter(10);
    const Allocations counted;
    for (auto _ : state) {
      co_await limiter.acquire();
      limiter.release();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_CapacityLimiter);

// Each of the tasks borrows, yields, and gives back, ten times.
void BM_CapacityLimiterContended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    CapacityLimiter limiter(10);
    auto work = [&]() -> Coroutine<> {
      for (int i = 0; i < 10; ++i) {
        co_await limiter.acquire();
        co_await sleep(Duration::zero());
        limiter.release();
      }
    };
    for (auto _ : state) {
      std::vector<Task<>> tasks;
      for (int64_t i = 0; i < state.range(0); ++i) {
        tasks.push_back(create_task(work()));
      }
      for (Task<>& task : tasks) co_await task;
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * 10);
  });
}
BENCHMARK(BM_CapacityLimiterContended)->Arg(1000);

}  // namespace
}  // namespace asyncio
