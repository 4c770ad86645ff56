// Coroutines, tasks, sleeps and futures beside bare_tasks.h, which does the
// same without cancellation, exceptions and the like: what the machine allows.
//
//   bazel run -c opt //benchmarks/task:task_benchmark
//
// An item is one await, one task, one turn and so on. The counter `allocations`
// is the calls of operator new by item once the pools are warm.

#include "asyncio/task/task.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <malloc.h>
#include <map>
#include <unistd.h>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/benchmarks/task/bare_tasks.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""s;
namespace bare = benchmarks::bare;

Coroutine<int64_t> identity(int64_t value) { co_return value; }
bare::Coroutine bare_identity(int64_t value) { co_return value; }

// --- The memory of a sleeping task, first: nothing is in the pools yet.

int64_t resident() {
  malloc_trim(0);
  long long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %lld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

bare::Coroutine bare_park(bare::Frame& frame) {
  co_await bare::Park{frame};
  co_return 0;
}
void BM_MemoryBare(benchmark::State& state) {
  static const int64_t before = resident();
  const auto n = static_cast<size_t>(state.range(0));
  std::vector<bare::Frame> frames(n);
  for (auto _ : state) {
    for (bare::Frame& frame : frames) bare::Task{bare_park(frame)};
    bare::queue.run();
    state.counters["bytes"] =
        static_cast<double>(resident() - before) / static_cast<double>(n) -
        sizeof(bare::Frame);
    for (bare::Frame frame : frames) frame.destroy();
  }
}

Coroutine<> sleep_an_hour() { co_await sleep(1h); }

std::vector<Task<>> start_sleepers(int64_t n) {
  std::vector<Task<>> tasks;
  tasks.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) tasks.push_back(create_task(sleep_an_hour()));
  return tasks;
}
Coroutine<> end_all(std::vector<Task<>>& tasks) {
  for (auto& task : tasks) task.cancel();
  for (auto& task : tasks) {
    Result<> ended = co_await as_result(task);
    benchmark::DoNotOptimize(ended.cancelled());
  }
}

Coroutine<> memory(benchmark::State& state) {
  // Of the process without the bare tasks' pool, which is left as it is.
  static const int64_t before = resident();
  const int64_t n = state.range(0);
  for (auto _ : state) {
    std::vector<Task<>> tasks = start_sleepers(n);
    co_await sleep(0s);
    state.counters["bytes"] =
        static_cast<double>(resident() - before) / static_cast<double>(n) -
        sizeof(Task<>);
    co_await end_all(tasks);
  }
}
void BM_Memory(benchmark::State& state) { run(memory(state)); }

// With few, the pages that a program has anyway weigh more than the tasks.
BENCHMARK(BM_MemoryBare)
    ->Iterations(1)
    ->RangeMultiplier(10)
    ->Range(10'000, 1'000'000);
BENCHMARK(BM_Memory)->Iterations(1)->RangeMultiplier(10)->Range(10'000,
                                                                1'000'000);

// --- Await of a coroutine that returns at once.

bare::Coroutine await_bare(benchmark::State& state) {
  int64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(co_await bare_identity(i++));
  }
  co_return 0;
}
void BM_AwaitBare(benchmark::State& state) {
  const Allocations counted;
  bare::run(await_bare(state));
  counted.report(state, state.iterations());
}

Coroutine<> await_loop(benchmark::State& state) {
  int64_t i = 0;
  benchmark::DoNotOptimize(co_await identity(0));
  const Allocations counted;
  for (auto _ : state) benchmark::DoNotOptimize(co_await identity(i++));
  counted.report(state, state.iterations());
}
void BM_Await(benchmark::State& state) { run(await_loop(state)); }

// A chain of awaits, each inside the one before.
bare::Coroutine bare_nested(int64_t depth) {
  if (depth == 0) co_return 0;
  const int64_t below = co_await bare_nested(depth - 1);
  co_return below + 1;
}
bare::Coroutine await_nested_bare(benchmark::State& state) {
  const int64_t depth = state.range(0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(co_await bare_nested(depth - 1));
  }
  co_return 0;
}
void BM_AwaitNestedBare(benchmark::State& state) {
  bare::run(await_nested_bare(state));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
Coroutine<int64_t> nested(int64_t depth) {
  if (depth == 0) co_return 0;
  const int64_t below = co_await nested(depth - 1);
  co_return below + 1;
}
Coroutine<> await_nested(benchmark::State& state) {
  const int64_t depth = state.range(0);
  benchmark::DoNotOptimize(co_await nested(depth - 1));
  const Allocations counted;
  for (auto _ : state) benchmark::DoNotOptimize(co_await nested(depth - 1));
  counted.report(state, state.iterations() * depth);
}
void BM_AwaitNested(benchmark::State& state) { run(await_nested(state)); }

BENCHMARK(BM_AwaitBare);
BENCHMARK(BM_Await);
// The bare ones nest on the stack.
BENCHMARK(BM_AwaitNestedBare)->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK(BM_AwaitNested)->RangeMultiplier(10)->Range(10, 1'000'000);

// --- Spawn a task and await it, then the next.

bare::Coroutine spawn_and_await_bare(benchmark::State& state) {
  int64_t i = 0;
  for (auto _ : state) {
    bare::Task task(bare_identity(i++));
    benchmark::DoNotOptimize(co_await task);
  }
  co_return 0;
}
void BM_SpawnAndAwaitBare(benchmark::State& state) {
  const Allocations counted;
  bare::run(spawn_and_await_bare(state));
  counted.report(state, state.iterations());
}

Coroutine<> spawn_and_await(benchmark::State& state) {
  int64_t i = 0;
  co_await create_task(identity(0));
  const Allocations counted;
  for (auto _ : state) {
    Task<int64_t> task = create_task(identity(i++));
    benchmark::DoNotOptimize(co_await task);
  }
  counted.report(state, state.iterations());
}
void BM_SpawnAndAwait(benchmark::State& state) { run(spawn_and_await(state)); }

BENCHMARK(BM_SpawnAndAwaitBare);
BENCHMARK(BM_SpawnAndAwait);

// --- Spawn many with handles, then join all.

bare::Coroutine spawn_many_bare(benchmark::State& state) {
  const int64_t n = state.range(0);
  std::vector<bare::Task> tasks;
  tasks.reserve(static_cast<size_t>(n));
  for (auto _ : state) {
    for (int64_t i = 0; i < n; ++i) tasks.emplace_back(bare_identity(i));
    for (bare::Task& task : tasks) benchmark::DoNotOptimize(co_await task);
    tasks.clear();
  }
  co_return 0;
}
void BM_SpawnManyBare(benchmark::State& state) {
  bare::run(spawn_many_bare(state));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

Coroutine<> spawn_and_join(std::vector<Task<int64_t>>& tasks, int64_t n) {
  for (int64_t i = 0; i < n; ++i) tasks.push_back(create_task(identity(i)));
  for (auto& task : tasks) benchmark::DoNotOptimize(co_await task);
  tasks.clear();
}
Coroutine<> spawn_many(benchmark::State& state) {
  const int64_t n = state.range(0);
  std::vector<Task<int64_t>> tasks;
  tasks.reserve(static_cast<size_t>(n));
  co_await spawn_and_join(tasks, n);
  const Allocations counted;
  for (auto _ : state) co_await spawn_and_join(tasks, n);
  counted.report(state, state.iterations() * n);
}
void BM_SpawnMany(benchmark::State& state) { run(spawn_many(state)); }

BENCHMARK(BM_SpawnManyBare)->RangeMultiplier(10)->Range(1000, 1'000'000);
BENCHMARK(BM_SpawnMany)->RangeMultiplier(10)->Range(1000, 1'000'000);

// --- sleep(0): tasks that give way to each other.

constexpr int64_t kTurns = 100;  // of each task, an iteration

bare::Coroutine yield_times_bare() {
  for (int64_t i = 0; i < kTurns; ++i) co_await bare::Yield();
  co_return 0;
}
bare::Coroutine yield_bare(benchmark::State& state) {
  std::vector<bare::Task> tasks;
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) {
      tasks.emplace_back(yield_times_bare());
    }
    for (bare::Task& task : tasks) co_await task;
    tasks.clear();
  }
  co_return 0;
}
void BM_YieldBare(benchmark::State& state) {
  bare::run(yield_bare(state));
  state.SetItemsProcessed(state.iterations() * state.range(0) * kTurns);
}

Coroutine<> yield_times() {
  for (int64_t i = 0; i < kTurns; ++i) co_await sleep(0s);
}
Coroutine<> yield_all(std::vector<Task<>>& tasks, int64_t n) {
  for (int64_t i = 0; i < n; ++i) tasks.push_back(create_task(yield_times()));
  for (auto& task : tasks) co_await task;
  tasks.clear();
}
Coroutine<> yield(benchmark::State& state) {
  const int64_t n = state.range(0);
  std::vector<Task<>> tasks;
  co_await yield_all(tasks, n);
  const Allocations counted;
  for (auto _ : state) co_await yield_all(tasks, n);
  counted.report(state, state.iterations() * n * kTurns);
}
void BM_Yield(benchmark::State& state) { run(yield(state)); }

BENCHMARK(BM_YieldBare)->RangeMultiplier(10)->Range(1, 10'000);
BENCHMARK(BM_Yield)->RangeMultiplier(10)->Range(1, 10'000);

// --- Tasks that are all due within a second.

Coroutine<> sleep_and_note(EventLoop& loop, Duration delay, Duration& late) {
  const TimePoint due = loop.time() + delay;
  co_await sleep(delay);
  late = loop.time() - due;
}
// Counters: how late one in a hundred wakes or later, in milliseconds. The
// processor's time is that of all the work, and does not depend on the second.
Coroutine<> sleepers(benchmark::State& state) {
  EventLoop& loop = get_running_loop();
  const auto n = static_cast<size_t>(state.range(0));
  std::vector<Duration> late(n);
  std::vector<Task<>> tasks;
  tasks.reserve(n);
  for (auto _ : state) {
    uint64_t random = 1;
    for (Duration& l : late) {
      random = random * 6364136223846793005 + 1442695040888963407;
      const auto delay = static_cast<int64_t>((random >> 33) % 1'000'000'000);
      tasks.push_back(
          create_task(sleep_and_note(loop, Duration::nanoseconds(delay), l)));
    }
    for (auto& task : tasks) co_await task;
    tasks.clear();
  }
  const auto p99 = late.begin() + static_cast<ptrdiff_t>(n * 99 / 100);
  std::nth_element(late.begin(), p99, late.end());
  state.counters["late_p99_ms"] = static_cast<double>(p99->count()) / 1e6;
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void BM_Sleepers(benchmark::State& state) { run(sleepers(state)); }

BENCHMARK(BM_Sleepers)
    ->Iterations(1)
    ->RangeMultiplier(10)
    ->Range(1000, 1'000'000);

// --- Futures: two tasks, each awaits the one that the other sets.

struct BareCourt {
  bare::Frame left;
  bare::Frame right;
  bool over = false;
};
bare::Coroutine bare_answer(BareCourt& court) {
  while (!court.over) {
    if (court.right) bare::queue.push(court.right);
    co_await bare::Park{court.left};
  }
  co_return 0;
}
bare::Coroutine ping_pong_bare(benchmark::State& state) {
  BareCourt court;
  bare::Task other(bare_answer(court));
  co_await bare::Yield();
  for (auto _ : state) {
    bare::queue.push(court.left);
    co_await bare::Park{court.right};
  }
  court.over = true;
  bare::queue.push(court.left);
  co_await other;
  co_return 0;
}
void BM_FuturePingPongBare(benchmark::State& state) {
  const Allocations counted;
  bare::run(ping_pong_bare(state));
  counted.report(state, state.iterations() * 2);
}

struct Court {
  Future<int64_t> left = create_future<int64_t>();
  Future<int64_t> right = create_future<int64_t>();
};
Coroutine<> answer(Court& court) {
  for (;;) {
    const int64_t ball = co_await court.left;
    if (ball < 0) co_return;
    court.left = create_future<int64_t>();
    court.right.set_result(ball);
  }
}
Coroutine<> ping_pong(benchmark::State& state) {
  Court court;
  Task<> other = create_task(answer(court));
  int64_t ball = 0;
  const Allocations counted;
  for (auto _ : state) {
    court.left.set_result(++ball);
    benchmark::DoNotOptimize(co_await court.right);
    court.right = create_future<int64_t>();
  }
  counted.report(state, state.iterations() * 2);
  court.left.set_result(-1);
  co_await other;
}
void BM_FuturePingPong(benchmark::State& state) { run(ping_pong(state)); }

BENCHMARK(BM_FuturePingPongBare);
BENCHMARK(BM_FuturePingPong);

// --- A timer of the loop that is taken back, while others are armed.

// The loop that the baseline stands for: callbacks in a std::multimap.
void BM_CallLaterCancelMultimap(benchmark::State& state) {
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>>
      timers;
  const auto now = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < state.range(0); ++i) {
    timers.emplace(now + 1h + std::chrono::microseconds(i), [] {});
  }
  const Allocations counted;
  for (auto _ : state) {
    auto handle = timers.emplace(std::chrono::steady_clock::now() + 30s, [] {});
    timers.erase(handle);
  }
  counted.report(state, state.iterations());
}

Coroutine<> call_later_cancel(benchmark::State& state) {
  EventLoop& loop = get_running_loop();
  std::vector<TimerHandle> armed;
  for (int64_t i = 0; i < state.range(0); ++i) {
    armed.push_back(loop.call_later(1h + std::chrono::microseconds(i), [] {}));
  }
  loop.call_later(30s, [] {}).cancel();
  const Allocations counted;
  for (auto _ : state) loop.call_later(30s, [] {}).cancel();
  counted.report(state, state.iterations());
  for (TimerHandle& handle : armed) handle.cancel();
  co_return;
}
void BM_CallLaterCancel(benchmark::State& state) {
  run(call_later_cancel(state));
}

BENCHMARK(BM_CallLaterCancelMultimap)
    ->RangeMultiplier(10)
    ->Range(1000, 1'000'000);
BENCHMARK(BM_CallLaterCancel)->RangeMultiplier(10)->Range(1000, 1'000'000);

// --- A task that falls asleep and is cancelled, while others sleep.

// What its end costs at least: an exception through one frame.
void BM_ThrowAndCatch(benchmark::State& state) {
  std::exception_ptr kept;
  for (auto _ : state) {
    try {
      throw int64_t{1};
    } catch (...) {
      kept = std::current_exception();
    }
    benchmark::DoNotOptimize(kept);
  }
  state.SetItemsProcessed(state.iterations());
}

Coroutine<> sleep_cancel(benchmark::State& state) {
  std::vector<Task<>> others = start_sleepers(state.range(0));
  co_await sleep(0s);
  for (auto _ : state) {
    Task<> task = create_task(sleep_an_hour());
    co_await sleep(0s);
    task.cancel();
    Result<> ended = co_await as_result(task);
    benchmark::DoNotOptimize(ended.cancelled());
  }
  state.SetItemsProcessed(state.iterations());
  co_await end_all(others);
}
void BM_SleepCancel(benchmark::State& state) { run(sleep_cancel(state)); }

// Sleeping tasks, from their cancel() until each has ended.
Coroutine<> cancel_all(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Task<>> tasks = start_sleepers(state.range(0));
    co_await sleep(0s);
    state.ResumeTiming();
    co_await end_all(tasks);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void BM_CancelSleepers(benchmark::State& state) { run(cancel_all(state)); }

BENCHMARK(BM_ThrowAndCatch);
BENCHMARK(BM_SleepCancel)->RangeMultiplier(10)->Range(1, 1'000'000);
BENCHMARK(BM_CancelSleepers)->RangeMultiplier(10)->Range(1000, 1'000'000);

}  // namespace
}  // namespace asyncio
