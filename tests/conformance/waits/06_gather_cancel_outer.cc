// Cancelling gather cancels every unfinished child; CancelledError surfaces
// when the FIRST child ended cancelled (others may still clean up), with
// return_exceptions only after all ended.
// The twin of 06_gather_cancel_outer.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> quick() { co_return "quick"; }

Coroutine<> child(std::string name, Event& gate) {
  auto result = co_await as_result(sleep(10s));
  if (auto* e = result.get_if<CancelledError>()) {
    print(name, "cancelled", e->message());
    co_await gate.wait();
    print(name, "cleaned");
    result.rethrow();
  }
}

template <class Gathered>
Coroutine<> cancel_and_await(Gathered g, Task<std::string> q, Task<> a,
                             Task<> b, Event& gate_a, Event& gate_b,
                             bool keep) {
  EventLoop& loop = get_running_loop();
  co_await sleep(0s);
  co_await sleep(0s);
  const bool cancelled = g.cancel("stop");
  print("cancel", cancelled, "done", g.done());
  loop.call_soon([&] { gate_b.set(); });
  if (keep) loop.call_later(20ms, [&] { gate_a.set(); });
  auto result = co_await as_result(g);
  if (auto* e = result.template get_if<CancelledError>()) {
    print("caught", e->message(), "a done", a.done(), "b done", b.done());
  }
  gate_a.set();
  co_await wait({a});
  print("q", q.result(), "a", a.cancelled(), "b", b.cancelled());
  print("cancel again", g.cancel());
}

Coroutine<> amain() {
  for (const bool keep : {false, true}) {
    Event gate_a;
    Event gate_b;
    Task<std::string> q = create_task(quick());
    Task<> a = create_task(child("a", gate_a));
    Task<> b = create_task(child("b", gate_b));
    if (keep) {
      auto g = gather(return_exceptions, q, a, b);
      co_await cancel_and_await(g, q, a, b, gate_a, gate_b, keep);
    } else {
      auto g = gather(q, a, b);
      co_await cancel_and_await(g, q, a, b, gate_a, gate_b, keep);
    }
  }
}

}  // namespace

int main() { run(amain()); }
