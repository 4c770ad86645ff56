// Several to_thread calls run at the same time (they can wait for each other)
// while the loop keeps running.
// The program of 02_to_thread_concurrent.py, which prints
// 02_to_thread_concurrent.expected.

#include <barrier>
#include <chrono>
#include <utility>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  std::barrier meet(3);
  auto work = [&](int n) {
    meet.arrive_and_wait();
    return n;
  };
  int ticks = 0;
  auto ticker = [&]() -> Coroutine<> {
    while (true) {
      ++ticks;
      co_await sleep(0s);
    }
  };
  Task<> t = create_task(ticker());
  std::vector<Coroutine<int>> calls;
  for (int n = 0; n < 3; ++n) calls.push_back(to_thread(work, n));
  const std::vector<int> r = co_await gather(std::move(calls));
  t.cancel();
  print("results", r[0], r[1], r[2]);
  print("loop kept running", ticks > 1);
}

}  // namespace

int main() { run(amain()); }
