// Cancel() only requests - the task is still pending until it ran its
// except/finally blocks.
// The program of 03_while_sleeping.py, which prints 03_while_sleeping.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> sleeper() {
  auto body = []() -> Coroutine<> {
    try {
      print("sleeping");
      co_await sleep(10s);
      print("not reached");
    } catch (const CancelledError&) {
      print("except");
      throw;
    }
  };
  co_await try_finally(body, [] { print("finally"); });
}

Coroutine<> amain() {
  Task<> t = create_task(sleeper());
  co_await sleep(0s);
  print("cancel returns", t.cancel());
  print("right after", t.done(), t.cancelled());
  co_await sleep(0s);
  print("one yield later", t.done(), t.cancelled());
  try {
    t.result();
  } catch (const CancelledError&) {
    print("result raises CancelledError");
  }
  try {
    t.exception();
  } catch (const CancelledError&) {
    print("exception raises CancelledError");
  }
}

}  // namespace

int main() { run(amain()); }
