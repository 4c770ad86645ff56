// A body that swallows the timeout's CancelledError gets no TimeoutError, yet
// expired() is True and cancelling() returns to 0.
// The twin of 48_timeout_swallowed_inside.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  AnyTask me = current_task();
  Timeout cm = timeout(20ms);
  co_await with(cm, [&]() -> Coroutine<> {
    try {
      co_await sleep(10s);
    } catch (const CancelledError&) {
      print("swallowed, cancelling", me.cancelling());
    }
    co_await sleep(0s);
    print("later await fine");
  });
  print("expired", cm.expired(), "cancelling", me.cancelling());
}

}  // namespace

int main() { run(amain()); }
