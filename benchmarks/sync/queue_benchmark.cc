// One producer and one consumer, beside a deque without anybody who waits.
//
//   bazel run -c opt //benchmarks/sync:queue_benchmark

#include "asyncio/sync/queue.h"

#include <cstdint>
#include <deque>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

// One iteration is one item. The argument is the queue's capacity.
template <class Q>
void pass_items(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Q queue(state.range(0));
    auto produce = [&]() -> Coroutine<> {
      for (int64_t i = 0;; ++i) {
        co_await queue.put(i);
      }
    };
    auto producer = create_task(produce());
    // Until it was full once, it grows.
    for (int64_t i = 0; i < 2 * state.range(0); ++i) {
      benchmark::DoNotOptimize(co_await queue.get());
    }
    const Allocations counted;
    for (auto _ : state) {
      benchmark::DoNotOptimize(co_await queue.get());
    }
    counted.report(state, state.iterations());
    producer.cancel();
  });
}

void BM_QueuePassesItems(benchmark::State& state) {
  pass_items<Queue<int64_t>>(state);
}
BENCHMARK(BM_QueuePassesItems)->Arg(1)->Arg(64)->Arg(1024);

void BM_LifoQueuePassesItems(benchmark::State& state) {
  pass_items<LifoQueue<int64_t>>(state);
}
BENCHMARK(BM_LifoQueuePassesItems)->Arg(1)->Arg(64)->Arg(1024);

void BM_PriorityQueuePassesItems(benchmark::State& state) {
  pass_items<PriorityQueue<int64_t>>(state);
}
BENCHMARK(BM_PriorityQueuePassesItems)->Arg(1)->Arg(64)->Arg(1024);

void BM_QueueNowait(benchmark::State& state) {
  Queue<int64_t> queue;
  for (int64_t i = 0; i < state.range(0); ++i) queue.put_nowait(i);
  queue.put_nowait(queue.get_nowait());
  const Allocations counted;
  for (auto _ : state) queue.put_nowait(queue.get_nowait());
  counted.report(state, state.iterations());
}
BENCHMARK(BM_QueueNowait)->RangeMultiplier(10)->Range(1, 10'000'000);

void BM_Deque(benchmark::State& state) {
  std::deque<int64_t> queue;
  for (int64_t i = 0; i < state.range(0); ++i) queue.push_back(i);
  for (auto _ : state) {
    const int64_t item = queue.front();
    queue.pop_front();
    queue.push_back(item);
  }
}
BENCHMARK(BM_Deque)->RangeMultiplier(10)->Range(1, 10'000'000);

}  // namespace
}  // namespace asyncio
