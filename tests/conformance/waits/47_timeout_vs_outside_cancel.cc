// A foreign cancel is never converted; when timeout and foreign cancel coincide
// the CancelledError wins and cancelling stays 1.
// The twin of 47_timeout_vs_outside_cancel.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> block(Duration delay) {
  co_await with(timeout(delay), [] { return sleep(10s); });
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Task<> t = create_task(block(10s));
  co_await sleep(0s);
  t.cancel();
  co_await wait({t});
  print("foreign only: cancelled", t.cancelled());
  const TimePoint when = loop.time() + 30ms;
  auto block_at = [&]() -> Coroutine<> {
    co_await with(timeout_at(when), [] { return sleep(10s); });
  };
  t = create_task(block_at());
  co_await sleep(0s);
  loop.call_at(when, [t] { t.cancel(); });
  co_await wait({t});
  print("both: cancelled", t.cancelled(), "cancelling", t.cancelling());
}

}  // namespace

int main() { run(amain()); }
