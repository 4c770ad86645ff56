// Cancelling a task in wait() leaves the child running; it can be killed and
// waited for afterwards.
// The twin of 12_cancel_wait.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Process p = co_await create_subprocess_exec({"sleep", "30"});
  Task<int> t = create_task(p.wait());
  co_await sleep(0s);
  t.cancel();
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("CancelledError, still running", !p.returncode());
  }
  try {
    co_await wait_for(p.wait(), 20ms);
  } catch (const TimeoutError&) {
    print("TimeoutError, still running", !p.returncode());
  }
  p.kill();
  print(co_await p.wait());
}

}  // namespace

int main() { run(amain()); }
