// A holds, B and C wait; A releases while B is cancelled: C gets the lock.
// The twin of 05_lock_cancelled_waiter_skipped.py.

#include <chrono>
#include <optional>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> lockit(std::string name, Lock& lock,
                   std::optional<Future<>> blocker) {
  co_await lock.acquire();
  print(name, "acquired");
  auto body = [&]() -> Coroutine<> {
    if (blocker) co_await *blocker;
  };
  co_await try_finally(body, [&] { lock.release(); });
}

Coroutine<> amain() {
  Lock lock;
  Future<> fa = create_future<>();
  auto ta = create_task(lockit("A", lock, fa));
  co_await sleep(0s);
  auto tb = create_task(lockit("B", lock, std::nullopt));
  co_await sleep(0s);
  auto tc = create_task(lockit("C", lock, std::nullopt));
  co_await sleep(0s);
  fa.set_result();
  tb.cancel();
  co_await sleep(0s);
  print("locked", lock.locked(), "A done", ta.done(), "B cancelled",
        tb.cancelled());
  co_await tc;
  print("locked", lock.locked());
}

}  // namespace

int main() { run(amain()); }
