// What an exception costs: through plain frames, through coroutines, and as the
// cancellation of a chain of awaits; beside the same cancellation that is taken
// as a Result, without a throw.
//
//   bazel run -c opt //benchmarks/task:unwind_benchmark
//
// The argument is the number of frames; an item is one exception or one
// cancellation.

#include <cstdint>
#include <exception>
#include <stdexcept>

#include "benchmark/benchmark.h"

#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""s;

constexpr int64_t kManyFrames = 256;

void frames(benchmark::internal::Benchmark* b) {
  for (int64_t n = 1; n <= kManyFrames; n *= 4) b->Arg(n);
}

// --- Without coroutines: what the runtime takes.

// Something to destroy in each frame, as real ones have it.
struct Guard {
  explicit Guard(int64_t& depth) : depth(depth) { ++depth; }
  ~Guard() { --depth; }
  int64_t& depth;
};

[[gnu::noinline]] int64_t throw_below(int64_t n, int64_t& depth) {
  if (n == 0) throw std::runtime_error("end");
  Guard guard(depth);
  return throw_below(n - 1, depth) + 1;
}

void BM_ThrowThroughFrames(benchmark::State& state) {
  int64_t depth = 0;
  const Allocations counted;
  for (auto _ : state) {
    try {
      benchmark::DoNotOptimize(throw_below(state.range(0), depth));
    } catch (const std::runtime_error& error) {
      benchmark::DoNotOptimize(error.what());
    }
  }
  counted.report(state, state.iterations());
}
BENCHMARK(BM_ThrowThroughFrames)->Apply(frames);

// What each level of coroutines has to do where it keeps an exception and
// throws it on.
[[gnu::noinline]] std::exception_ptr throw_on(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (...) {
    return std::current_exception();
  }
}
void BM_Rethrow(benchmark::State& state) {
  std::exception_ptr e = std::make_exception_ptr(std::runtime_error("end"));
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) e = throw_on(e);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rethrow)->Apply(frames);

// --- Through coroutines.

Coroutine<int64_t> throw_below_awaits(int64_t n) {
  if (n == 0) throw std::runtime_error("end");
  const int64_t below = co_await throw_below_awaits(n - 1);
  co_return below + 1;
}
Coroutine<> throw_through_awaits(benchmark::State& state) {
  const Allocations counted;
  for (auto _ : state) {
    try {
      benchmark::DoNotOptimize(co_await throw_below_awaits(state.range(0)));
    } catch (const std::runtime_error& error) {
      benchmark::DoNotOptimize(error.what());
    }
  }
  counted.report(state, state.iterations());
}
void BM_ThrowThroughAwaits(benchmark::State& state) {
  run(throw_through_awaits(state));
}
BENCHMARK(BM_ThrowThroughAwaits)->Apply(frames);

// The same chain, which is left by a value.
Coroutine<int64_t> return_below_awaits(int64_t n) {
  if (n == 0) co_return 0;
  const int64_t below = co_await return_below_awaits(n - 1);
  co_return below + 1;
}
Coroutine<> return_through_awaits(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(co_await return_below_awaits(state.range(0)));
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_ReturnThroughAwaits(benchmark::State& state) {
  run(return_through_awaits(state));
}
BENCHMARK(BM_ReturnThroughAwaits)->Apply(frames);

// --- Cancellation of a task that sleeps at the end of a chain of awaits.

// What is at the chain's end: a sleep that throws CancelledError, or one whose
// end is looked at. Either is as long as the other: a turn of the loop.
Coroutine<int64_t> sleep_below(int64_t n) {
  if (n == 0) {
    co_await sleep(1h);
    co_return 0;
  }
  const int64_t below = co_await sleep_below(n - 1);
  co_return below + 1;
}
Coroutine<int64_t> ask_below(int64_t n) {
  if (n == 0) {
    Result<> slept = co_await as_result(sleep(1h));
    co_return slept.cancelled() ? 1 : 0;
  }
  const int64_t below = co_await ask_below(n - 1);
  co_return below + 1;
}
Coroutine<> cancel_chain(benchmark::State& state,
                         Coroutine<int64_t> (*chain)(int64_t)) {
  const Allocations counted;
  for (auto _ : state) {
    Task<int64_t> task = create_task(chain(state.range(0)));
    co_await sleep(0s);
    task.cancel();
    Result<int64_t> ended = co_await as_result(task);
    benchmark::DoNotOptimize(ended.cancelled());
  }
  counted.report(state, state.iterations());
}
void BM_CancelChain(benchmark::State& state) {
  run(cancel_chain(state, sleep_below));
}
BENCHMARK(BM_CancelChain)->Apply(frames);
void BM_CancelChainAsResult(benchmark::State& state) {
  run(cancel_chain(state, ask_below));
}
BENCHMARK(BM_CancelChainAsResult)->Apply(frames);

}  // namespace
}  // namespace asyncio
