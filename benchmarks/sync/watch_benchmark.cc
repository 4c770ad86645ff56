// A value that is changed and looked at, by the number of those who wait for
// it.
//
//   bazel run -c opt //benchmarks/sync:watch_benchmark

#include "asyncio/sync/watch.h"

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

void BM_SendUnwatched(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    auto [sender, receiver] = Watch<int64_t>(0);
    const Allocations counted;
    int64_t n = 0;
    for (auto _ : state) sender.send(++n);
    counted.report(state, state.iterations());
    co_return;
  });
}
BENCHMARK(BM_SendUnwatched);

// One change, seen by as many tasks.
void BM_ChangeSeenByAll(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    auto [sender, receiver] = Watch<int64_t>(0);
    int64_t seen = 0;
    auto look = [&](WatchReceiver<int64_t> mine) -> Coroutine<> {
      for (;;) {
        co_await mine.changed();
        mine.borrow_and_update();
        ++seen;
      }
    };
    std::vector<Task<>> tasks;
    for (int64_t i = 0; i < state.range(0); ++i) {
      tasks.push_back(create_task(look(receiver)));
    }
    co_await sleep(Duration::zero());
    const Allocations counted;
    int64_t n = 0;
    for (auto _ : state) {
      sender.send(++n);
      while (seen < n * state.range(0)) co_await sleep(Duration::zero());
    }
    counted.report(state, n * state.range(0));
    for (Task<>& task : tasks) task.cancel();
    co_await sleep(Duration::zero());
  });
}
BENCHMARK(BM_ChangeSeenByAll)->Range(1, 1 << 10);

}  // namespace
}  // namespace asyncio
