// Cancelling a task after its future got a result but before it resumed still
// raises CancelledError and the result is lost.
// The program of 26_result_already_set_race.py, which prints
// 26_result_already_set_race.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(Future<std::string> fut) {
  try {
    print("got", co_await fut);
  } catch (const CancelledError&) {
    print("cancelled, future done", fut.done(), "future cancelled",
          fut.cancelled(), "result", fut.result());
    throw;
  }
}

Coroutine<> amain() {
  Future<std::string> fut = create_future<std::string>();
  Task<> t = create_task(waiter(fut));
  co_await sleep(0s);
  fut.set_result("lost");
  print("cancel", t.cancel());
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("task cancelled", t.cancelled());
  }
}

}  // namespace

int main() { run(amain()); }
