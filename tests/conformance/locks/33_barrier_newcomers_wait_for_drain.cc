// Tasks arriving while the barrier drains or resets block until it is filling
// again, then take part in the next cycle.
// The twin of 33_barrier_newcomers_wait_for_drain.py.

#include <chrono>
#include <utility>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Barrier barrier(5);
  Barrier small(3);
  int rewait = 2;
  int passed_small = 0;

  auto coro = [&]() -> Coroutine<> {
    co_await barrier.wait();
    if (rewait > 0) {
      --rewait;
      co_await barrier.wait();
    } else {
      co_await small.wait();
      ++passed_small;
      co_await barrier.wait();
    }
  };

  std::vector<Coroutine<>> coros;
  for (int i = 0; i < 5; ++i) coros.push_back(coro());
  co_await wait_for(gather(std::move(coros)), 2s);
  print("all through", passed_small, barrier.n_waiting(), barrier.broken());

  std::vector<int> broken;
  std::vector<int> through;

  auto again = [&]() -> Coroutine<> {
    try {
      co_await barrier.wait();
    } catch (const BrokenBarrierError&) {
      broken.push_back(1);
    }
    co_await barrier.wait();
    through.push_back(1);
  };

  std::vector<AnyTask> ts;
  for (int i = 0; i < 4; ++i) ts.push_back(create_task(again()));
  co_await sleep(0s);
  co_await barrier.reset();
  ts.push_back(create_task(barrier.wait()));
  co_await wait_for(gather(ts), 2s);
  print("broken", broken.size(), "through", through.size());
}

}  // namespace

int main() { run(amain()); }
