// Once gather failed it is done: cancel() returns False and leaves the
// remaining children alone.
// The twin of 11_gather_cancel_after_failure.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad() {
  throw ValueError("bad");
  co_return;
}

Coroutine<std::string> slow(Event& gate) {
  co_await gate.wait();
  co_return "slow ok";
}

Coroutine<> amain() {
  Event gate;
  Task<std::string> s = create_task(slow(gate));
  auto g = gather(s, bad());
  try {
    co_await g;
  } catch (const ValueError&) {
    print("failed");
  }
  const bool cancelled = g.cancel();
  print("cancel", cancelled, "done", g.done());
  gate.set();
  print(co_await s);
}

}  // namespace

int main() { run(amain()); }
