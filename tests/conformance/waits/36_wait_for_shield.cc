// Wait_for(shield(task)) times out without cancelling the task, also with
// timeout 0.
// The twin of 36_wait_for_shield.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> job(Event& gate) {
  co_await gate.wait();
  co_return "job done";
}

Coroutine<> amain() {
  Event gate;
  Task<std::string> t = create_task(job(gate));
  for (const Duration limit : {Duration(0s), Duration(20ms)}) {
    Future<std::string> s = shield(t);
    try {
      co_await wait_for(s, limit);
    } catch (const TimeoutError&) {
      print("timeout, shield cancelled", s.cancelled(), "task done", t.done(),
            "cancelled", t.cancelled());
    }
  }
  gate.set();
  print(co_await t);
}

}  // namespace

int main() { run(amain()); }
