// A task that cancels itself and returns without another await ends cancelled
// and the value is lost; raising instead wins over the cancel.
// The program of 21_self_cancel_then_return.py, which prints
// 21_self_cancel_then_return.expected.

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<int> returns() {
  current_task().cancel("at end");
  co_return 12;
}

Coroutine<int> raises() {
  current_task().cancel();
  throw ValueError("instead");
  co_return 0;
}

Coroutine<> amain() {
  Task<int> t = create_task(returns());
  try {
    print("value", co_await t);
  } catch (const CancelledError& e) {
    print("cancelled", t.cancelled(), e.message());
  }
  t = create_task(raises());
  try {
    co_await t;
  } catch (const ValueError& e) {
    print("exception", e.what(), "cancelled", t.cancelled(), "cancelling",
          t.cancelling());
  }
}

}  // namespace

int main() { run(amain()); }
