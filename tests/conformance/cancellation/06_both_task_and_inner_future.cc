// Cancelling the inner future and then the task in one iteration delivers
// exactly one CancelledError.
// The program of 06_both_task_and_inner_future.py, which prints
// 06_both_task_and_inner_future.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> waiter(Future<> fut) {
  int n = 0;
  try {
    co_await fut;
  } catch (const CancelledError&) {
    ++n;
  }
  try {
    co_await sleep(0s);
    co_await sleep(0s);
  } catch (const CancelledError&) {
    ++n;
  }
  co_return n;
}

Coroutine<> amain() {
  Future<> fut = create_future<>();
  Task<int> t = create_task(waiter(fut));
  co_await sleep(0s);
  fut.cancel();
  print("task cancel", t.cancel());
  const int deliveries = co_await t;
  print("deliveries", deliveries, "cancelling", t.cancelling());
}

}  // namespace

int main() { run(amain()); }
