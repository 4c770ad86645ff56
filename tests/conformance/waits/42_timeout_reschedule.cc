// Reschedule() moves the deadline later, earlier, to None and to the past
// (expires next iteration).
// The twin of 42_timeout_reschedule.py.

#include <chrono>
#include <optional>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Timeout later = timeout(20ms);
  co_await with(later, [&]() -> Coroutine<> {
    later.reschedule(loop.time() + 10s);
    co_await sleep(50ms);
    print("later deadline ok");
  });
  print("expired", later.expired());
  try {
    co_await with(timeout(10s), [&](Timeout& cm) -> Coroutine<> {
      cm.reschedule(loop.time() + 20ms);
      co_await sleep(5s);
    });
  } catch (const TimeoutError&) {
    print("earlier deadline fired");
  }
  Timeout disabled = timeout(20ms);
  co_await with(disabled, [&]() -> Coroutine<> {
    disabled.reschedule(std::nullopt);
    print("when None", disabled.when() == std::nullopt);
    co_await sleep(50ms);
  });
  print("disabled, expired", disabled.expired());
  try {
    co_await with(timeout(std::nullopt), [&](Timeout& cm) -> Coroutine<> {
      cm.reschedule(loop.time() - 1s);
      print("still inside", cm.expired());
      co_await sleep(1s);
    });
  } catch (const TimeoutError&) {
    print("past deadline fired");
  }
}

}  // namespace

int main() { run(amain()); }
