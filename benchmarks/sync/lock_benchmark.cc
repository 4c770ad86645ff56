// A lock without contention, beside a flag that is set and cleared; and one
// that many tasks pass on to each other, beside their turns of the loop alone.
//
//   bazel run -c opt //benchmarks/sync:lock_benchmark

#include "asyncio/sync/lock.h"

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_FlagSetAndCleared(benchmark::State& state) {
  bool flag = false;
  for (auto _ : state) {
    benchmark::DoNotOptimize(flag = true);
    benchmark::DoNotOptimize(flag = false);
  }
}
BENCHMARK(BM_FlagSetAndCleared);

void BM_LockUncontended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    const Allocations counted;
    for (auto _ : state) {
      co_await lock.acquire();
      lock.release();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_LockUncontended);

void BM_LockScoped(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    const Allocations counted;
    for (auto _ : state) {
      auto held = co_await lock.scoped_acquire();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_LockScoped);

void BM_LockWith(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    int64_t n = 0;
    co_await with(lock, [&] { ++n; });
    const Allocations counted;
    for (auto _ : state) co_await with(lock, [&] { ++n; });
    counted.report(state, state.iterations());
    benchmark::DoNotOptimize(n);
  });
}
BENCHMARK(BM_LockWith);

// Each of `tasks` tasks takes the lock, yields, and releases it, `rounds`
// times.
constexpr int64_t kRounds = 10;
template <bool kLocked>
Coroutine<> pass_on(int64_t tasks) {
  Lock lock;
  auto work = [&]() -> Coroutine<> {
    for (int64_t i = 0; i < kRounds; ++i) {
      if constexpr (kLocked) co_await lock.acquire();
      co_await sleep(Duration::zero());
      if constexpr (kLocked) lock.release();
    }
  };
  std::vector<Task<>> all;
  for (int64_t i = 0; i < tasks; ++i) all.push_back(create_task(work()));
  for (Task<>& task : all) co_await task;
}
// Allocations are those of the tasks' vector: tasks are in the pool.
template <bool kLocked>
void measure_passing_on(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    co_await pass_on<kLocked>(state.range(0));
    const Allocations counted;
    for (auto _ : state) co_await pass_on<kLocked>(state.range(0));
    counted.report(state, state.iterations() * state.range(0) * kRounds);
  });
}

void BM_LockContended(benchmark::State& state) {
  measure_passing_on<true>(state);
}
BENCHMARK(BM_LockContended)->Arg(10)->Arg(1000)->Arg(100000);

void BM_YieldAlone(benchmark::State& state) {
  measure_passing_on<false>(state);
}
BENCHMARK(BM_YieldAlone)->Arg(10)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace asyncio
