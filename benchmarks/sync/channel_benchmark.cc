// One producer and one consumer, in one loop and in two on two threads, beside
// a Queue in one loop and a deque behind a mutex.
//
//   bazel run --config=opt //benchmarks/sync:channel_benchmark

#include "asyncio/sync/channel.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/sync/queue.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

Coroutine<> produce(ChannelSender<int64_t> sender) {
  try {
    for (int64_t i = 0;; ++i) co_await sender.send(i);
  } catch (const ChannelClosed&) {
  }
}

// One iteration is one item. The argument is the capacity.
Coroutine<> consume(benchmark::State& state,
                    ChannelReceiver<int64_t> receiver) {
  // Until it was full once, it grows.
  for (int64_t i = 0; i < 2 * state.range(0); ++i) {
    benchmark::DoNotOptimize(co_await receiver.recv());
  }
  const Allocations counted;
  for (auto _ : state) benchmark::DoNotOptimize(co_await receiver.recv());
  counted.report(state, state.iterations());
  receiver.close();
}

void BM_ChannelInOneLoop(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    auto [sender, receiver] =
        Channel<int64_t>(static_cast<size_t>(state.range(0)));
    auto producer = create_task(produce(std::move(sender)));
    co_await consume(state, std::move(receiver));
    co_await producer;
  });
}
BENCHMARK(BM_ChannelInOneLoop)->Arg(1)->Arg(64)->Arg(1024);

void BM_ChannelBetweenTwoThreads(benchmark::State& state) {
  auto [sender, receiver] =
      Channel<int64_t>(static_cast<size_t>(state.range(0)));
  std::thread thread([sender = std::move(sender)]() mutable {
    run(produce(std::move(sender)));
  });
  run(consume(state, std::move(receiver)));
  thread.join();
}
BENCHMARK(BM_ChannelBetweenTwoThreads)
    ->Arg(1)
    ->Arg(64)
    ->Arg(1024)
    ->UseRealTime();

void BM_QueueInOneLoop(benchmark::State& state) {
  run([&]() -> Coroutine<> {
    Queue<int64_t> queue(state.range(0));
    auto put = [&]() -> Coroutine<> {
      for (int64_t i = 0;; ++i) co_await queue.put(i);
    };
    auto producer = create_task(put());
    for (auto _ : state) benchmark::DoNotOptimize(co_await queue.get());
    state.SetItemsProcessed(state.iterations());
    producer.cancel();
  });
}
BENCHMARK(BM_QueueInOneLoop)->Arg(1)->Arg(64)->Arg(1024);

void BM_ChannelWithoutWaiting(benchmark::State& state) {
  Channel<int64_t> channel(1);
  for (auto _ : state) {
    channel.sender.try_send(1);
    benchmark::DoNotOptimize(channel.receiver.try_recv());
  }
}
BENCHMARK(BM_ChannelWithoutWaiting);

void BM_DequeBehindAMutex(benchmark::State& state) {
  std::deque<int64_t> queue;
  std::mutex mutex;
  for (auto _ : state) {
    {
      std::lock_guard lock(mutex);
      queue.push_back(1);
    }
    std::lock_guard lock(mutex);
    benchmark::DoNotOptimize(queue.front());
    queue.pop_front();
  }
}
BENCHMARK(BM_DequeBehindAMutex);

}  // namespace
}  // namespace asyncio
