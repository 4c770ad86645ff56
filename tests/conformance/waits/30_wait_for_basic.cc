// Wait_for returns the result in time, raises TimeoutError otherwise after
// cancelling the inner task and waiting for its cleanup.
// The twin of 30_wait_for_basic.py.

#include <chrono>
#include <optional>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> slow() {
  auto result = co_await as_result(sleep(10s));
  if (result.cancelled()) {
    print("inner cancelled");
    co_await sleep(30ms);
    print("inner cleaned up");
    result.rethrow();
  }
}

Coroutine<> amain() {
  print(co_await wait_for(sleep(0s, "in time"), 1s));
  print(co_await wait_for(sleep(0s, "no limit"), std::nullopt));
  Task<> t = create_task(slow());
  try {
    co_await wait_for(t, 20ms);
  } catch (const TimeoutError& e) {
    print(exception_name(e), "inner done", t.done(), "inner cancelled",
          t.cancelled());
  }
  print("me cancelling", current_task().cancelling());
}

}  // namespace

int main() { run(amain()); }
