// Both nested deadlines passed while the loop was busy: two cancel requests, so
// the inner lets CancelledError through and only the outer raises TimeoutError,
// whichever was due first.
// The twin of 46_timeout_nested_both_expired.py.

#include <chrono>
#include <optional>
#include <thread>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> run_both(Duration outer_delay, Duration inner_delay) {
  AnyTask me = current_task();
  Timeout outer = timeout(outer_delay);
  std::optional<Timeout> inner;
  try {
    co_await with(outer, [&]() -> Coroutine<> {
      inner.emplace(timeout(inner_delay));
      try {
        co_await with(*inner, [&]() -> Coroutine<> {
          std::this_thread::sleep_for(80ms);
          co_await sleep(10s);
        });
      } catch (const TimeoutError&) {
        print("inner TimeoutError");
      } catch (const CancelledError&) {
        print("inner CancelledError, cancelling", me.cancelling());
        throw;
      }
      co_await sleep(10s);
    });
  } catch (const TimeoutError&) {
    print("outer TimeoutError");
  }
  print("expired", outer.expired(), inner->expired(), "cancelling",
        me.cancelling());
}

Coroutine<> amain() {
  co_await run_both(20ms, 40ms);
  co_await run_both(40ms, 20ms);
}

}  // namespace

int main() { run(amain()); }
