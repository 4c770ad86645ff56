// Two tasks that wake each other through events, beside the turns of the loop
// alone; and one set() that wakes many.
//
//   bazel run -c opt //benchmarks/sync:event_benchmark

#include "asyncio/sync/event.h"

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

// One iteration is two waits and two wake-ups.
void BM_EventPingPong(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Event ping, pong;
    auto answer = [&]() -> Coroutine<> {
      while (true) {
        co_await ping.wait();
        ping.clear();
        pong.set();
      }
    };
    auto task = create_task(answer());
    ping.set();
    co_await pong.wait();
    pong.clear();
    const Allocations counted;
    for (auto _ : state) {
      ping.set();
      co_await pong.wait();
      pong.clear();
    }
    counted.report(state, state.iterations());
    task.cancel();
  });
}
BENCHMARK(BM_EventPingPong);

void BM_TwoTurns(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    for (auto _ : state) {
      co_await sleep(Duration::zero());
      co_await sleep(Duration::zero());
    }
  });
}
BENCHMARK(BM_TwoTurns);

void BM_EventWakesAll(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Event event;
    auto wait = [&]() -> Coroutine<> {
      while (true) {
        co_await event.wait();
      }
    };
    std::vector<Task<>> tasks;
    for (int64_t i = 0; i < state.range(0); ++i) {
      tasks.push_back(create_task(wait()));
    }
    co_await sleep(Duration::zero());
    const Allocations counted;
    for (auto _ : state) {
      event.set();
      event.clear();
      co_await sleep(Duration::zero());
    }
    counted.report(state, state.iterations() * state.range(0));
    for (Task<>& task : tasks) task.cancel();
  });
}
BENCHMARK(BM_EventWakesAll)->Arg(10)->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace asyncio
