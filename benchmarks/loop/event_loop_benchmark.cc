// What a callback costs on its way through the loop, beside a plain queue of
// std::function, and what an iteration, a timer and another thread add to it.
//
//   bazel run -c opt //benchmarks/loop:event_loop_benchmark
//
// `allocations` are calls of operator new per operation.

#include "asyncio/loop/event_loop.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using benchmarks::Allocations;

void run_iteration(EventLoop& loop) {
  loop.stop();
  loop.run_forever();
}

// Baseline: what any loop would have to do at least.
void BM_QueueOfFunctions(benchmark::State& state) {
  const int64_t batch = state.range(0);
  std::deque<std::function<void()>> queue;
  int64_t sum = 0;
  const Allocations counted;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) queue.push_back([&sum] { ++sum; });
    while (!queue.empty()) {
      std::function<void()> fn = std::move(queue.front());
      queue.pop_front();
      fn();
    }
  }
  counted.report(state, sum);
}
BENCHMARK(BM_QueueOfFunctions)->Arg(1)->Arg(100)->Arg(10'000);

void BM_CallSoonAndRun(benchmark::State& state) {
  const int64_t batch = state.range(0);
  auto loop = new_event_loop();
  int64_t sum = 0;
  run_iteration(*loop);
  const Allocations counted;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) loop->call_soon([&sum] { ++sum; });
    run_iteration(*loop);
  }
  counted.report(state, sum);
}
BENCHMARK(BM_CallSoonAndRun)->Arg(1)->Arg(100)->Arg(10'000);

// A callback that schedules itself: one iteration a call.
void BM_Iteration(benchmark::State& state) {
  auto loop = new_event_loop();
  std::function<void()> again = [&] {
    if (state.KeepRunning()) {
      loop->call_soon(std::ref(again));
    } else {
      loop->stop();
    }
  };
  loop->call_soon(std::ref(again));
  const Allocations counted;
  loop->run_forever();
  counted.report(state, state.iterations());
}
BENCHMARK(BM_Iteration);

// The same with a descriptor watched, so that each iteration asks the kernel.
void BM_IterationWithPoll(benchmark::State& state) {
  auto loop = new_event_loop();
  int fds[2];
  if (pipe(fds) != 0) return state.SkipWithError("pipe");
  loop->add_reader(fds[0], [] {});
  std::function<void()> again = [&] {
    if (state.KeepRunning()) {
      loop->call_soon(std::ref(again));
    } else {
      loop->stop();
    }
  };
  loop->call_soon(std::ref(again));
  const Allocations counted;
  loop->run_forever();
  counted.report(state, state.iterations());
  loop->close();
  close(fds[0]);
  close(fds[1]);
}
BENCHMARK(BM_IterationWithPoll);

// With that many other timers armed.
void BM_CallLaterAndCancel(benchmark::State& state) {
  auto loop = new_event_loop();
  for (int64_t i = 0; i < state.range(0); ++i) {
    loop->call_later(1h + i * 1us, [] {});
  }
  const Allocations counted;
  for (auto _ : state) {
    TimerHandle timer = loop->call_later(30s, [] {});
    timer.cancel();
  }
  counted.report(state, state.iterations());
}
BENCHMARK(BM_CallLaterAndCancel)->Arg(0)->Arg(1000)->Arg(100'000);

void BM_CallLaterAndFire(benchmark::State& state) {
  const int64_t batch = state.range(0);
  auto loop = new_event_loop();
  int64_t sum = 0;
  const Allocations counted;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      loop->call_later(0s, [&sum] { ++sum; });
    }
    run_iteration(*loop);
  }
  counted.report(state, sum);
}
BENCHMARK(BM_CallLaterAndFire)->Arg(1)->Arg(100)->Arg(10'000);

// Posts of this thread to a loop that is busy in another.
void BM_PostFromAnotherThread(benchmark::State& state) {
  auto loop = new_event_loop();
  int64_t taken = 0;
  std::thread runner([&] { loop->run_forever(); });
  const Allocations counted;
  for (auto _ : state) loop->call_soon_threadsafe([&taken] { ++taken; });
  loop->call_soon_threadsafe([&] { loop->stop(); });
  runner.join();
  counted.report(state, taken);
}
BENCHMARK(BM_PostFromAnotherThread)->UseRealTime();

// Baseline: the same through a mutex and a condition variable.
void BM_PostThroughAMutex(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::function<void()>> inbox;
  bool done = false;
  int64_t taken = 0;
  std::thread runner([&] {
    std::vector<std::function<void()>> batch;
    while (true) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return done || !inbox.empty(); });
      if (inbox.empty()) return;
      batch.swap(inbox);
      lock.unlock();
      for (auto& fn : batch) fn();
      batch.clear();
    }
  });
  const Allocations counted;
  for (auto _ : state) {
    std::lock_guard lock(mutex);
    inbox.push_back([&taken] { ++taken; });
    changed.notify_one();
  }
  {
    std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  }
  runner.join();
  counted.report(state, taken);
}
BENCHMARK(BM_PostThroughAMutex)->UseRealTime();

// There and back between two loops that sleep in turn: two wake-ups.
void BM_PingPong(benchmark::State& state) {
  auto here = new_event_loop();
  auto there = new_event_loop();
  std::function<void()> ping;
  std::function<void()> pong = [&] {
    here->call_soon_threadsafe(std::ref(ping));
  };
  ping = [&] {
    if (state.KeepRunning()) {
      there->call_soon_threadsafe(std::ref(pong));
    } else {
      here->stop();
    }
  };
  std::thread other([&] { there->run_forever(); });
  here->call_soon(std::ref(ping));
  const Allocations counted;
  here->run_forever();
  counted.report(state, state.iterations());
  there->call_soon_threadsafe([&] { there->stop(); });
  other.join();
}
BENCHMARK(BM_PingPong)->UseRealTime();

}  // namespace
}  // namespace asyncio
