// Awaiting an already finished task or future continues at once without giving
// the loop a turn.
// The program of 04_await_done_future_no_yield.py, which prints
// 04_await_done_future_no_yield.expected.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> quick() { co_return "quick"; }

Coroutine<> ticker(std::vector<int>& log) {
  for (int i = 0; i < 3; ++i) {
    log.push_back(i);
    print("tick", i);
    co_await sleep(0s);
  }
}

Coroutine<> amain() {
  Task<std::string> t = create_task(quick());
  Future<std::string> fut = create_future<std::string>();
  fut.set_result("fut");
  co_await sleep(0s);
  print("task done", t.done());
  std::vector<int> log;
  Task<> tick = create_task(ticker(log));
  print(co_await t);
  print(co_await fut);
  print(co_await t);
  print("ticks so far", log.size());
  co_await tick;
  print("ticks", log.size());
}

}  // namespace

int main() { run(amain()); }
