// Tasks created in dependency order all finish in one loop iteration, because
// awaiting a done task does not yield.
// The program of 24_task_chain_ticks.py, which prints
// 24_task_chain_ticks.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> leaf() { co_return "leaf"; }

Coroutine<std::string> link(Task<std::string> t) { co_return co_await t; }

Coroutine<> amain() {
  Task<std::string> t0 = create_task(leaf());
  Task<std::string> t1 = create_task(link(t0));
  Task<std::string> t2 = create_task(link(t1));
  Task<std::string> t3 = create_task(link(t2));
  for (int i = 0; i < 6; ++i) {
    print(i, t0.done(), t1.done(), t2.done(), t3.done());
    co_await sleep(0s);
  }
  print(co_await t3);
}

}  // namespace

int main() { run(amain()); }
