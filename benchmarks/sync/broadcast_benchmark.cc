// Items that every receiver gets, by the number of receivers.
//
//   bazel run -c opt //benchmarks/sync:broadcast_benchmark

#include "asyncio/sync/broadcast.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

void BM_SendAndReceive(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    auto [sender, first] = Broadcast<int64_t>(64);
    std::vector<BroadcastReceiver<int64_t>> receivers;
    receivers.push_back(std::move(first));
    while (static_cast<int64_t>(receivers.size()) < state.range(0)) {
      receivers.push_back(sender.subscribe());
    }
    const Allocations counted;
    int64_t n = 0;
    for (auto _ : state) {
      sender.send(++n);
      for (auto& receiver : receivers) {
        benchmark::DoNotOptimize(co_await receiver.recv());
      }
    }
    counted.report(state, n * state.range(0));
  });
}
BENCHMARK(BM_SendAndReceive)->Range(1, 1 << 10);

}  // namespace
}  // namespace asyncio
