// Exceptions of the main coroutine propagate out of run, after cleanup of
// leftovers; a self-cancelled main gives CancelledError.
// The program of 02_run_propagates_exception.py, which prints
// 02_run_propagates_exception.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> leftover() {
  co_await try_finally(sleep(10s), [] { print("leftover cleaned"); });
}

Coroutine<> amain() {
  Task<> t = create_task(leftover());
  co_await sleep(0s);
  throw ValueError("spam");
}

Coroutine<> amain2() {
  current_task().cancel("self");
  co_await sleep(0s);
}

}  // namespace

int main() {
  try {
    run(amain());
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  try {
    run(amain2());
  } catch (const CancelledError& e) {
    print("CancelledError", e.message());
  }
}
