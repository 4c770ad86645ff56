// A semaphore without contention, beside a counter; and one that many tasks
// pass on to each other.
//
//   bazel run -c opt //benchmarks/sync:semaphore_benchmark

#include "asyncio/sync/semaphore.h"

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_CounterDownAndUp(benchmark::State& state) {
  int64_t value = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(--value);
    benchmark::DoNotOptimize(++value);
  }
}
BENCHMARK(BM_CounterDownAndUp);

void BM_SemaphoreUncontended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Semaphore semaphore(1);
    const Allocations counted;
    for (auto _ : state) {
      co_await semaphore.acquire();
      semaphore.release();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_SemaphoreUncontended);

constexpr int64_t kRounds = 10;
Coroutine<> pass_on(int64_t units, int64_t tasks) {
  Semaphore semaphore(units);
  auto work = [&]() -> Coroutine<> {
    for (int64_t i = 0; i < kRounds; ++i) {
      co_await semaphore.acquire();
      co_await sleep(Duration::zero());
      semaphore.release();
    }
  };
  std::vector<Task<>> all;
  for (int64_t i = 0; i < tasks; ++i) all.push_back(create_task(work()));
  for (Task<>& task : all) co_await task;
}

// Arguments: units, tasks. Allocations are those of the tasks' vector.
void BM_SemaphoreContended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    co_await pass_on(state.range(0), state.range(1));
    const Allocations counted;
    for (auto _ : state) co_await pass_on(state.range(0), state.range(1));
    counted.report(state, state.iterations() * state.range(1) * kRounds);
  });
}
BENCHMARK(BM_SemaphoreContended)
    ->Args({1, 1000})
    ->Args({10, 1000})
    ->Args({100, 1000})
    ->Args({1, 100000});

}  // namespace
}  // namespace asyncio
