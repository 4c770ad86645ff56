// Wait never raises a task's exception: failed and cancelled tasks are simply
// in done.
// The twin of 16_wait_all_with_failures.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> ok() { co_return "ok"; }

Coroutine<> bad() {
  throw ValueError("bad");
  co_return;
}

Coroutine<> amain() {
  Task<std::string> a = create_task(ok());
  Task<> b = create_task(bad());
  Task<> c = create_task(sleep(10s));
  c.cancel();
  auto [done, pending] = co_await wait({a, b, c});
  print(done.size(), pending.size());
  print(a.result(), exception_message(b.exception()), c.cancelled());
}

}  // namespace

int main() { run(amain()); }
