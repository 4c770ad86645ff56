// Cancelling a task before its first step means the body never runs; awaiting
// it raises CancelledError.
// The program of 01_before_start.py, which prints 01_before_start.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> body() {
  print("body must not run");
  co_await try_finally(sleep(1s), [] { print("finally must not run"); });
}

Coroutine<> amain() {
  Task<> t = create_task(body());
  print("cancel", t.cancel());
  print("done", t.done(), "cancelled", t.cancelled(), "cancelling",
        t.cancelling());
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("caught CancelledError");
  }
  print("done", t.done(), "cancelled", t.cancelled());
}

}  // namespace

int main() { run(amain()); }
