// Wait_for(cond.wait(), timeout): TimeoutError is raised with the lock held
// again, so async with exits cleanly.
// The twin of 18_condition_timeout_in_block.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Condition cond;
  co_await with(cond, [&]() -> Coroutine<> {
    try {
      co_await wait_for(cond.wait(), 20ms);
    } catch (const TimeoutError&) {
      print("TimeoutError, locked", cond.locked());
    }
    try {
      co_await with(timeout(20ms),
                    [&]() -> Coroutine<> { co_await cond.wait(); });
    } catch (const TimeoutError&) {
      print("TimeoutError, locked", cond.locked());
    }
  });
  print("locked", cond.locked());
}

}  // namespace

int main() { run(amain()); }
