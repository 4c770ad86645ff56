// Iterating a generator that never awaits gives other tasks no turn.
// The program of 02_no_yield_without_await.py, which prints
// 02_no_yield_without_await.expected.

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

AsyncGenerator<int> gen() {
  for (int i = 0; i < 3; ++i) co_yield i;
}

Coroutine<> other() {
  print("other ran");
  co_return;
}

Coroutine<> amain() {
  Task<> t = create_task(other());
  for (auto it = gen(); auto v = co_await it.next();) print("got", *v);
  print("other done", t.done());
  co_await t;
}

}  // namespace

int main() { run(amain()); }
