// A cell that is asked again and again, beside a plain pointer that is tested.
//
//   bazel run -c opt //benchmarks/sync:once_benchmark

#include "asyncio/sync/once.h"

#include <cstdint>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_PlainPointer(benchmark::State& state) {
  const int value = 1;
  const int* pointer = &value;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pointer);
    if (pointer != nullptr) benchmark::DoNotOptimize(*pointer);
  }
}
BENCHMARK(BM_PlainPointer);

void BM_GetOrInit(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    OnceCell<int> cell;
    auto make = []() -> Coroutine<int> { co_return 1; };
    co_await cell.get_or_init(make);
    const Allocations counted;
    for (auto _ : state) {
      benchmark::DoNotOptimize(co_await cell.get_or_init(make));
    }
    counted.report(state, state.iterations());
  });
}
BENCHMARK(BM_GetOrInit);

}  // namespace
}  // namespace asyncio
