// A cancelled wait() re-acquires the lock before CancelledError gets out,
// blocking while somebody else holds it.
// The twin of 15_condition_cancel_reacquires.py.

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
    } catch (const CancelledError& e) {
      print("CancelledError inside, locked", cond.locked(), e.message());
      throw;
    }
  });
}

Coroutine<> amain() {
  Condition cond;
  auto t = create_task(waiter(cond));
  co_await sleep(0s);
  co_await cond.acquire();
  t.cancel("reason");
  for (int i = 0; i < 3; ++i) co_await sleep(0s);
  print("blocked on the lock", !t.done());
  cond.release();
  try {
    co_await t;
  } catch (const CancelledError& e) {
    print("main", e.message(), "locked", cond.locked());
  }
}

}  // namespace

int main() { run(amain()); }
