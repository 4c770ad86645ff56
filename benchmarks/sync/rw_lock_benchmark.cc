// A readers-writer lock without contention, beside a plain lock; and one that
// many tasks share, by the share of them that write.
//
//   bazel run -c opt //benchmarks/sync:rw_lock_benchmark

#include "asyncio/sync/rw_lock.h"

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/sync/lock.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_PlainLock(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Lock lock;
    for (auto _ : state) {
      co_await lock.acquire();
      lock.release();
    }
  });
}
BENCHMARK(BM_PlainLock);

void BM_RWLockReadUncontended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    RWLock lock;
    const Allocations counted;
    for (auto _ : state) {
      co_await lock.acquire_read();
      lock.release_read();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_RWLockReadUncontended);

void BM_RWLockWriteUncontended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    RWLock lock;
    const Allocations counted;
    for (auto _ : state) {
      co_await lock.acquire_write();
      lock.release_write();
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_RWLockWriteUncontended);

// Each of `tasks` tasks takes the lock, yields, and releases it, `kRounds`
// times; of `one_in` times, once for writing.
constexpr int64_t kRounds = 10;
Coroutine<> pass_on(int64_t tasks, int64_t one_in) {
  RWLock lock;
  auto work = [&](int64_t task) -> Coroutine<> {
    for (int64_t i = 0; i < kRounds; ++i) {
      if ((task + i) % one_in == 0) {
        co_await lock.acquire_write();
        co_await sleep(Duration::zero());
        lock.release_write();
      } else {
        co_await lock.acquire_read();
        co_await sleep(Duration::zero());
        lock.release_read();
      }
    }
  };
  std::vector<Task<>> all;
  for (int64_t i = 0; i < tasks; ++i) all.push_back(create_task(work(i)));
  for (Task<>& task : all) co_await task;
}

// Arguments: tasks, and of how many times one is for writing. Allocations are
// those of the tasks' vector.
void BM_RWLockContended(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    co_await pass_on(state.range(0), state.range(1));
    const Allocations counted;
    for (auto _ : state) co_await pass_on(state.range(0), state.range(1));
    counted.report(state, state.iterations() * state.range(0) * kRounds);
  });
}
BENCHMARK(BM_RWLockContended)
    ->Args({1000, 1})
    ->Args({1000, 10})
    ->Args({1000, 1000})
    ->Args({100000, 10});

}  // namespace
}  // namespace asyncio
