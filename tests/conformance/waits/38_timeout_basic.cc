// Timeout() turns its own cancellation into TimeoutError, expired() tells,
// cancelling() is back to 0 and the task can go on.
// The twin of 38_timeout_basic.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  AnyTask me = current_task();
  Timeout cm = timeout(20ms);
  try {
    co_await with(cm, [&]() -> Coroutine<> {
      print("inside, expired", cm.expired());
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        print("inside sees CancelledError, cancelling", me.cancelling(),
              "expired", cm.expired());
        throw;
      }
    });
  } catch (const TimeoutError&) {
    print("TimeoutError, expired", cm.expired(), "cancelling", me.cancelling());
  }
  print(co_await sleep(0s, "goes on"));
}

}  // namespace

int main() { run(amain()); }
