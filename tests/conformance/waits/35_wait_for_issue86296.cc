// Cancelling a task in wait_for in the same iteration its inner task finished
// is not swallowed.
// The twin of 35_wait_for_issue86296.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> inner() { co_return "done"; }

Coroutine<> amain() {
  Task<std::string> inner_task = create_task(inner());
  bool reached = false;
  Task<> t = create_task([&]() -> Coroutine<> {
    co_await wait_for(inner_task, 100s);
    co_await sleep(1s);
    reached = true;
  });
  co_await sleep(0s);
  t.cancel();
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("cancelled", t.cancelled());
  }
  const bool done = inner_task.done();
  const std::string result = co_await inner_task;
  print(done, result, "reached end", reached);
}

}  // namespace

int main() { run(amain()); }
