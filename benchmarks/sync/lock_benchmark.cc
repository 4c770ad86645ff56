// A lock without contention, beside a flag that is set and cleared; and one
// that many tasks pass on to each other, beside their turns of the loop alone.
//
//   bazel run -c opt //benchmarks/sync:lock_benchmark

#include "asyncio/sync/lock.h"

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"

namespace asyncio {
namespace {

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
    for (auto _ : state) {
      co_await lock.acquire();
      lock.release();
    }
  });
}
BENCHMARK(BM_LockUncontended);

void BM_LockScoped(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    for (auto _ : state) {
      auto held = co_await lock.scoped_acquire();
    }
  });
}
BENCHMARK(BM_LockScoped);

void BM_LockWith(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    int64_t n = 0;
    for (auto _ : state) co_await with(lock, [&] { ++n; });
    benchmark::DoNotOptimize(n);
  });
}
BENCHMARK(BM_LockWith);

// Each of `tasks` tasks takes the lock, yields, and releases it, `rounds`
// times.
template <bool kLocked>
Coroutine<> pass_on(int64_t tasks, int64_t rounds) {
  Lock lock;
  auto work = [&]() -> Coroutine<> {
    for (int64_t i = 0; i < rounds; ++i) {
      if constexpr (kLocked) co_await lock.acquire();
      co_await sleep(Duration::zero());
      if constexpr (kLocked) lock.release();
    }
  };
  std::vector<Task<>> all;
  for (int64_t i = 0; i < tasks; ++i) all.push_back(create_task(work()));
  for (Task<>& task : all) co_await task;
}

void BM_LockContended(benchmark::State& state) {
  constexpr int64_t kRounds = 10;
  for (auto _ : state) run(pass_on<true>(state.range(0), kRounds));
  state.SetItemsProcessed(state.iterations() * state.range(0) * kRounds);
}
BENCHMARK(BM_LockContended)->Arg(10)->Arg(1000)->Arg(100000);

void BM_YieldAlone(benchmark::State& state) {
  constexpr int64_t kRounds = 10;
  for (auto _ : state) run(pass_on<false>(state.range(0), kRounds));
  state.SetItemsProcessed(state.iterations() * state.range(0) * kRounds);
}
BENCHMARK(BM_YieldAlone)->Arg(10)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace asyncio
