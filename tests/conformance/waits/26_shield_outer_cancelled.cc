// Cancelling the awaiter of shield() raises CancelledError there while the
// inner task completes; cancel of the shield future itself behaves the same.
// The twin of 26_shield_outer_cancelled.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> inner(Event& gate) {
  co_await gate.wait();
  print("inner completes");
  co_return "inner result";
}

Coroutine<> outer(Task<std::string> t) {
  try {
    co_await shield(t);
  } catch (const CancelledError&) {
    print("outer cancelled, inner done", t.done());
    throw;
  }
}

Coroutine<> amain() {
  Event gate;
  Task<std::string> t = create_task(inner(gate));
  Task<> o = create_task(outer(t));
  co_await sleep(0s);
  o.cancel();
  co_await wait({o});
  print("o", o.cancelled());
  Future<std::string> s = shield(t);
  const bool cancelled = s.cancel();
  print("cancel shield", cancelled, s.cancelled(), "inner", t.cancelled());
  gate.set();
  const std::string result = co_await t;
  print(result, "cancelling", t.cancelling());
}

}  // namespace

int main() { run(amain()); }
