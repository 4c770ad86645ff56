// A waiter already woken by release() and then cancelled passes the wake-up on
// to the next one.
// The twin of 07_lock_woken_waiter_cancelled.py.

#include <chrono>
#include <string_view>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  for (const char* order : {"cancel first", "release first"}) {
    Lock lock;
    co_await lock.acquire();
    auto tb = create_task(lock.acquire());
    auto tc = create_task(lock.acquire());
    co_await sleep(0s);
    if (std::string_view(order) == "cancel first") {
      tb.cancel();
      lock.release();
    } else {
      lock.release();
      tb.cancel();
    }
    co_await sleep(0s);
    co_await sleep(0s);
    print(order, "tb cancelled", tb.cancelled(), "tc done", tc.done(), "locked",
          lock.locked());
    print(co_await tc);
    lock.release();
    print("free", !lock.locked());
  }
}

}  // namespace

int main() { run(amain()); }
