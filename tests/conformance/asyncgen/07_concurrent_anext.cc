// A second task calling into a generator that is already running gets
// RuntimeError; the first is not disturbed.
// The program of 07_concurrent_anext.py, which prints
// 07_concurrent_anext.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

AsyncGenerator<int> gen() {
  for (int i = 0; i < 2; ++i) {
    co_await sleep(20ms);
    co_yield i;
  }
}

Coroutine<> take(AsyncGenerator<int>& g, std::string name) {
  try {
    auto v = co_await g.next();
    print(name, "got", v.value());
  } catch (const RuntimeError&) {
    print(name, "RuntimeError");
  }
}

Coroutine<> amain() {
  AsyncGenerator<int> g = gen();
  Task<> a = create_task(take(g, "a"));
  Task<> b = create_task(take(g, "b"));
  co_await gather(a, b);
  co_await take(g, "c");
  auto last = co_await g.next();
  print("default", last ? std::to_string(*last) : "exhausted");
}

}  // namespace

int main() { run(amain()); }
