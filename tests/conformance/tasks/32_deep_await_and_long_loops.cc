// No stack growth from 200000 awaits of already finished things, 20000
// synchronous coroutine calls or a 1000 task chain.
// The program of 32_deep_await_and_long_loops.py, which prints
// 32_deep_await_and_long_loops.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> ident(int x) { co_return x; }

Coroutine<int> link(Task<int> t) {
  if (!t) co_return 1;
  const int below = co_await t;
  co_return 1 + below;
}

Coroutine<> amain() {
  Future<int> fut = create_future<int>();
  fut.set_result(1);
  int n = 0;
  for (int i = 0; i < 200000; ++i) n += co_await fut;
  print("futures", n);
  n = 0;
  for (int i = 0; i < 20000; ++i) n += co_await ident(1);
  print("coroutines", n);
  Task<int> t;
  for (int i = 0; i < 1000; ++i) t = create_task(link(t));
  print("chain", co_await t);
  for (int i = 0; i < 20000; ++i) co_await sleep(0s);
  print("yields done");
}

}  // namespace

int main() { run(amain()); }
