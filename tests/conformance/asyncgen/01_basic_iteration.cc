// Iterating over an async generator: the body runs lazily, interleaves with
// other tasks at awaits only, and ends with its cleanup. The program of
// 01_basic_iteration.py, which prints 01_basic_iteration.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

AsyncGenerator<int> gen(int n) {
  struct Finally {
    ~Finally() { print("gen finally"); }
  };
  print("gen starts");
  Finally finally;
  for (int i = 0; i < n; ++i) {
    co_await sleep(0s);
    print("produce", i);
    co_yield i;
  }
}

Coroutine<> ticker() {
  for (int i = 0; i < 3; ++i) {
    print("tick", i);
    co_await sleep(0s);
  }
}

Coroutine<> amain() {
  AsyncGenerator<int> g = gen(3);
  print("created");
  Task<> t = create_task(ticker());
  while (auto v = co_await g.next()) print("consume", *v);
  co_await t;
  int items = 0;
  for (auto it = gen(0); co_await it.next();) ++items;
  print("empty", items);
}

}  // namespace

int main() { run(amain()); }
