// Awaits inside except/finally of a cancelled task complete normally, and the
// awaiter gets CancelledError only afterwards.
// The program of 14_cleanup_can_await.py, which prints
// 14_cleanup_can_await.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> body() {
  const Result<> slept = co_await as_result(sleep(10s));
  if (slept.cancelled()) {
    for (int i = 0; i < 2; ++i) {
      co_await sleep(20ms);
      print("cleanup step", i);
    }
  }
  slept.rethrow();
}

Coroutine<> amain() {
  Task<> t = create_task(body());
  co_await sleep(0s);
  t.cancel();
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("caught after cleanup");
  }
  print("cancelled", t.cancelled());
}

}  // namespace

int main() { run(amain()); }
