// A task that catches CancelledError and returns is not cancelled: it has a
// result and cancelling() stays 1.
// The program of 09_swallow_and_return.py, which prints
// 09_swallow_and_return.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> stubborn() {
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    print("swallowed");
  }
  co_return "value";
}

Coroutine<> amain() {
  Task<std::string> t = create_task(stubborn());
  co_await sleep(0s);
  t.cancel();
  print(co_await t);
  print("done", t.done(), "cancelled", t.cancelled(), "cancelling",
        t.cancelling());
}

}  // namespace

int main() { run(amain()); }
