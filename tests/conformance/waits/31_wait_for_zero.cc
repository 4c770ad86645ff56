// Wait_for with timeout <= 0 returns the result of a done future, never starts
// a coroutine, cancels a running task.
// The twin of 31_wait_for_zero.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> never() {
  print("must not start");
  co_return;
}

Coroutine<> running() {
  co_await try_finally([] { return sleep(10s); },
                       [] { print("running task stopped"); });
}

Coroutine<> amain() {
  Future<std::string> f = create_future<std::string>();
  f.set_result("done value");
  print(co_await wait_for(f, 0s));
  print(co_await wait_for(f, -1s));
  for (const Duration limit : {Duration(0s), Duration(-1s)}) {
    try {
      co_await wait_for(never(), limit);
    } catch (const TimeoutError&) {
      print("timeout, not started");
    }
    Task<> t = create_task(running());
    co_await sleep(0s);
    try {
      co_await wait_for(t, limit);
    } catch (const TimeoutError&) {
      print("timeout, cancelled", t.cancelled());
    }
  }
}

}  // namespace

int main() { run(amain()); }
