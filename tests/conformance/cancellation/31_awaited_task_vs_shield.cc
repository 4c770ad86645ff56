// Cancel passes through a plain await into the awaited task but not through
// shield().
// The program of 31_awaited_task_vs_shield.py, which prints
// 31_awaited_task_vs_shield.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> work(std::string name, Event& gate) {
  try {
    co_await gate.wait();
    print(name, "finished");
    co_return name;
  } catch (const CancelledError&) {
    print(name, "cancelled");
    throw;
  }
}

Coroutine<> plain(Task<std::string> t) { co_await t; }

Coroutine<> shielded(Task<std::string> t) { co_await shield(t); }

Coroutine<> amain() {
  Event gate;
  Task<std::string> a = create_task(work("plain", gate));
  Task<std::string> b = create_task(work("shielded", gate));
  Task<> pa = create_task(plain(a));
  Task<> pb = create_task(shielded(b));
  co_await sleep(0s);
  pa.cancel();
  pb.cancel();
  auto results = co_await gather(return_exceptions, pa, pb);
  auto& [r0, r1] = results;
  print(exception_name(r0.exception()), exception_name(r1.exception()));
  print("a cancelled", a.cancelled(), "b done", b.done());
  gate.set();
  print(co_await b);
}

}  // namespace

int main() { run(amain()); }
