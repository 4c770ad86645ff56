// One value from hand to hand, beside a future that is made, set and awaited.
//
//   bazel run -c opt //benchmarks/sync:oneshot_benchmark

#include "asyncio/sync/oneshot.h"

#include <cstdint>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_Future(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    const Allocations counted;
    for (auto _ : state) {
      Future<int> future = create_future<int>();
      future.set_result(1);
      benchmark::DoNotOptimize(co_await future);
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_Future);

void BM_Oneshot(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    const Allocations counted;
    for (auto _ : state) {
      auto [sender, receiver] = Oneshot<int>();
      sender.send(1);
      benchmark::DoNotOptimize(co_await receiver.recv());
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_Oneshot);

}  // namespace
}  // namespace asyncio
