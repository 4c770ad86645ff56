// Cancelled while re-acquiring after notify: keeps trying for the lock, then
// raises the CancelledError with its message.
// The twin of 16_condition_cancel_while_reacquiring.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(Condition& cond) {
  co_await with(cond, [&]() -> Coroutine<> {
    try {
      co_await cond.wait();
      print("woke normally");
    } catch (const CancelledError& e) {
      print("cancelled", e.message(), "locked", cond.locked());
      throw;
    }
  });
}

Coroutine<> amain() {
  Condition cond;
  auto t = create_task(waiter(cond));
  co_await sleep(0s);
  co_await cond.acquire();
  cond.notify();
  co_await sleep(0s);
  t.cancel("foo");
  co_await sleep(0s);
  t.cancel("bar");
  co_await sleep(0s);
  print("done", t.done());
  cond.release();
  try {
    co_await t;
  } catch (const CancelledError& e) {
    print("main", e.message(), "cancelling", t.cancelling(), "locked",
          cond.locked());
  }
}

}  // namespace

int main() { run(amain()); }
