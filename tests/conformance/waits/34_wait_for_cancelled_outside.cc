// Cancelling the task in wait_for cancels the inner task and raises
// CancelledError, not TimeoutError.
// The twin of 34_wait_for_cancelled_outside.py.

#include <chrono>
#include <optional>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> block() { co_await create_future<>(); }

Coroutine<> amain() {
  const std::optional<Duration> limits[] = {std::nullopt, Duration(60s)};
  for (const auto& limit : limits) {
    Task<> t = create_task(block());
    Task<> w = create_task(wait_for(t, limit));
    get_running_loop().call_soon([w] { w.cancel(); });
    try {
      co_await w;
    } catch (const CancelledError&) {
      print("CancelledError, inner cancelled", t.cancelled());
    }
  }
}

}  // namespace

int main() { run(amain()); }
