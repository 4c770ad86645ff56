// A coroutine awaited directly (also through wait_for and timeout) runs in the
// caller's context: its set() is visible after it.
// The program of 02_inline_await_shares.py, which prints
// 02_inline_await_shares.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<int> var("var", 0);

Coroutine<> setter(int v) {
  co_await sleep(0s);
  var.set(v);
}

Coroutine<> amain() {
  co_await setter(1);
  print("plain await", var.get());
  co_await create_task(setter(2));
  print("task", var.get());
  co_await gather(setter(3), setter(4));
  print("gather", var.get());
  co_await wait_for(setter(5), 1s);
  print("wait_for", var.get());
  co_await shield(setter(6));
  print("shield", var.get());
}

}  // namespace

int main() { run(amain()); }
