// Cancel() works from call_soon and call_later callbacks; a cancelled sleep's
// timer never fires late.
// The program of 32_from_callback_and_timer.py, which prints
// 32_from_callback_and_timer.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> body(std::string name, Duration delay) {
  try {
    co_await sleep(delay);
    print(name, "finished");
  } catch (const CancelledError&) {
    print(name, "cancelled");
    throw;
  }
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Task<> a = create_task(body("a", 60ms));
  Task<> b = create_task(body("b", 60ms));
  Task<> c = create_task(body("c", 30ms));
  co_await sleep(0s);
  loop.call_soon([a] { a.cancel(); });
  loop.call_later(20ms, [b] { b.cancel(); });
  loop.call_later(300ms, [c] { c.cancel(); });
  co_await gather(return_exceptions, a, b, c);
  print("cancelled", a.cancelled(), b.cancelled(), c.cancelled());
}

}  // namespace

int main() { run(amain()); }
