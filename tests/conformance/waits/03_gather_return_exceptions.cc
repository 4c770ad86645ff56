// Return_exceptions=True puts exceptions and CancelledError of children into
// the result list in order.
// The twin of 03_gather_return_exceptions.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> ok(int v) { co_return v; }

Coroutine<int> bad(std::string m) {
  throw ValueError(m);
  co_return 0;
}

Coroutine<> amain() {
  Task<> t = create_task(sleep(10s));
  get_running_loop().call_soon([t] { t.cancel("gone"); });
  auto [r0, r1, r2, r3, r4] =
      co_await gather(return_exceptions, ok(1), bad("x"), t, ok(2), bad("y"));
  print(r0.value());
  print(exception_name(r1.exception()), exception_message(r1.exception()));
  print(exception_name(r2.exception()), t.cancelled());
  print(r3.value());
  print(exception_name(r4.exception()), exception_message(r4.exception()));
}

}  // namespace

int main() { run(amain()); }
