// Cancelling the task that awaits gather cancels the children too.
// The twin of 07_gather_waiter_cancelled.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child(std::string name) {
  co_await try_finally([] { return sleep(10s); }, [&] { print(name, "ends"); });
}

Coroutine<> parent() {
  try {
    co_await gather(child("a"), child("b"), child("c"));
  } catch (const CancelledError& e) {
    print("parent", e.message());
    throw;
  }
}

Coroutine<> amain() {
  Task<> p = create_task(parent());
  co_await sleep(10ms);
  p.cancel("from main");
  try {
    co_await p;
  } catch (const CancelledError&) {
    print("cancelled", p.cancelled());
  }
}

}  // namespace

int main() { run(amain()); }
