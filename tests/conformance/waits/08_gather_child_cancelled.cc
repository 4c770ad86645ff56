// A cancelled child counts as failed with CancelledError; the outer future is
// not "cancelled" and siblings go on.
// The twin of 08_gather_child_cancelled.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> sib(Event& gate) {
  co_await gate.wait();
  print("sibling finished");
  co_return "sib";
}

Coroutine<> amain() {
  Event gate;
  Task<> c = create_task(sleep(10s));
  Task<std::string> s = create_task(sib(gate));
  auto g = gather(c, s);
  co_await sleep(0s);
  c.cancel();
  try {
    co_await g;
  } catch (const CancelledError&) {
    print("caught, me cancelling", current_task().cancelling());
  }
  print("outer done", g.done(), "outer cancelled", g.cancelled(),
        "sibling done", s.done());
  print(exception_name(g.exception()));
  gate.set();
  print(co_await s);
}

}  // namespace

int main() { run(amain()); }
