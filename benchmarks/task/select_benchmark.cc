// The first of two, beside gather() of both.
//
//   bazel run -c opt //benchmarks/task:select_benchmark

#include "asyncio/task/select.h"

#include <cstdint>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_Gather(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    const Allocations counted;
    for (auto _ : state) {
      co_await gather(sleep(Duration::zero()), sleep(Duration::zero()));
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_Gather);

// The other one is cancelled, which throws.
void BM_Select(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    const Allocations counted;
    for (auto _ : state) {
      auto first =
          co_await select(sleep(Duration::zero()), sleep(Duration::infinite()));
      benchmark::DoNotOptimize(first.index());
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_Select);

}  // namespace
}  // namespace asyncio
