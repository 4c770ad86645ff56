// With eager_task_factory a coroutine that never suspends finishes inside
// create_task; its order is that of a plain call.
// The twin of 01_completes_without_loop.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> quick(int n) {
  print("runs", n);
  co_return n;
}

Coroutine<> bad() {
  throw ValueError("eager");
  co_return;
}

Coroutine<> amain() {
  set_task_factory(get_running_loop(), eager_task_factory);
  Task<int> t = create_task(quick(1));
  print("done", t.done(), t.result());
  Task<> failed = create_task(bad());
  print("failed", failed.done(), exception_message(failed.exception()));
  print("cancel a finished one", failed.cancel());
  print(co_await create_task(quick(2)));
}

}  // namespace

int main() { run(amain()); }
