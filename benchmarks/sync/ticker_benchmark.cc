// A tick that has passed, beside a turn of the loop.
//
//   bazel run -c opt //benchmarks/sync:ticker_benchmark

#include "asyncio/sync/ticker.h"

#include <cstdint>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_Turn(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    for (auto _ : state) co_await sleep(Duration::zero());
  });
}
BENCHMARK(BM_Turn);

void BM_Tick(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    // It never catches up.
    Ticker ticker(Duration::nanoseconds(1));
    const Allocations counted;
    for (auto _ : state) co_await ticker.tick();
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_Tick);

}  // namespace
}  // namespace asyncio
