// Cancel of the outermost task goes down to the innermost awaited task first
// and unwinds from there.
// The program of 07_chain_of_tasks.py, which prints 07_chain_of_tasks.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> leaf() {
  try {
    co_await sleep(10s);
  } catch (const CancelledError& e) {
    print("leaf cancelled", e.message());
    throw;
  }
}

Coroutine<> link(std::string name, Task<> t) {
  try {
    co_await t;
  } catch (const CancelledError& e) {
    print(name, "cancelled", e.message());
    throw;
  }
}

Coroutine<> amain() {
  Task<> t0 = create_task(leaf());
  Task<> t1 = create_task(link("one", t0));
  Task<> t2 = create_task(link("two", t1));
  co_await sleep(0s);
  t2.cancel("top");
  print("cancelling", t0.cancelling(), t1.cancelling(), t2.cancelling());
  for (int i = 0; i < 4; ++i) {
    print(i, t0.done(), t1.done(), t2.done());
    co_await sleep(0s);
  }
  print("cancelled", t0.cancelled(), t1.cancelled(), t2.cancelled());
}

}  // namespace

int main() { run(amain()); }
