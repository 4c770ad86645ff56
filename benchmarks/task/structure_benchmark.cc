// What is built of tasks: gather, TaskGroup, wait_for, timeout, to_thread. The
// baseline is the same number of tasks awaited by hand.
//
//   bazel run -c opt //benchmarks/task:structure_benchmark
//
// An item is one child, one scope, one round trip. The counter `allocations` is
// the calls of operator new by item once the pools are warm.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/task.h"
#include "asyncio/task/task_group.h"
#include "asyncio/task/threads.h"
#include "asyncio/task/timeout.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"

namespace asyncio {
namespace {

using benchmarks::allocations;
using std::chrono_literals::operator""h;

Coroutine<int64_t> identity(int64_t value) { co_return value; }

// Runs `once` in every iteration; the first, which fills the pools, is not
// counted.
template <class F>
void measure(benchmark::State& state, int64_t items, F once) {
  auto body = [&]() -> Coroutine<> {
    co_await once();
    const int64_t before = allocations();
    int64_t done = 0;
    for (auto _ : state) {
      co_await once();
      done += items;
    }
    state.SetItemsProcessed(done);
    state.counters["allocations"] =
        static_cast<double>(allocations() - before) / static_cast<double>(done);
  };
  run(body);
}

void BM_AwaitTasksByHand(benchmark::State& state) {
  const int64_t n = state.range(0);
  measure(state, n, [n]() -> Coroutine<> {
    std::vector<Task<int64_t>> tasks;
    tasks.reserve(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) tasks.push_back(create_task(identity(i)));
    for (auto& task : tasks) benchmark::DoNotOptimize(co_await task);
  });
}
BENCHMARK(BM_AwaitTasksByHand)->Arg(10)->Arg(1000);

void BM_Gather(benchmark::State& state) {
  const int64_t n = state.range(0);
  measure(state, n, [n]() -> Coroutine<> {
    std::vector<Coroutine<int64_t>> children;
    children.reserve(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) children.push_back(identity(i));
    auto all = co_await gather(std::move(children));
    benchmark::DoNotOptimize(all.data());
  });
}
BENCHMARK(BM_Gather)->Arg(10)->Arg(1000);

void BM_TaskGroup(benchmark::State& state) {
  const int64_t n = state.range(0);
  measure(state, n, [n]() -> Coroutine<> {
    co_await with(TaskGroup(), [n](TaskGroup& group) {
      for (int64_t i = 0; i < n; ++i) group.create_task(identity(i));
    });
  });
}
BENCHMARK(BM_TaskGroup)->Arg(10)->Arg(1000);

void BM_WaitForThatDoesNotExpire(benchmark::State& state) {
  measure(state, 1, []() -> Coroutine<> {
    benchmark::DoNotOptimize(co_await wait_for(identity(1), 1h));
  });
}
BENCHMARK(BM_WaitForThatDoesNotExpire);

void BM_TimeoutScope(benchmark::State& state) {
  measure(state, 1, []() -> Coroutine<> { co_await with(timeout(1h), [] {}); });
}
BENCHMARK(BM_TimeoutScope);

void BM_ToThread(benchmark::State& state) {
  measure(state, 1, []() -> Coroutine<> {
    benchmark::DoNotOptimize(co_await to_thread([] { return 1; }));
  });
}
BENCHMARK(BM_ToThread)->UseRealTime();

}  // namespace
}  // namespace asyncio
