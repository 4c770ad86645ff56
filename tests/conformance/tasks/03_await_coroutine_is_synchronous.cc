// Awaiting a coroutine object (not a task) runs it inline - no other task runs
// in between.
// The program of 03_await_coroutine_is_synchronous.py, which prints
// 03_await_coroutine_is_synchronous.expected.

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<int> leaf(int i) {
  print("leaf", i);
  co_return i;
}

Coroutine<int> middle(int i) {
  print("middle in", i);
  const int r = co_await leaf(i);
  print("middle out", i);
  co_return r + 100;
}

Coroutine<> other() {
  print("other ran");
  co_return;
}

Coroutine<> amain() {
  Task<> t = create_task(other());
  for (int i = 0; i < 3; ++i) print("main got", co_await middle(i));
  print("other done", t.done());
  co_await t;
  print("other done", t.done());
}

}  // namespace

int main() { run(amain()); }
