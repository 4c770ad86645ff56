// An exception in the generator comes out of the iteration and finishes it; one
// in the loop's body leaves the generator suspended and resumable. The program
// of 04_exceptions.py, which prints 04_exceptions.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

AsyncGenerator<int> gen() {
  struct Finally {
    ~Finally() { print("generator finished"); }
  };
  Finally finally;
  co_yield 1;
  co_await sleep(0s);
  throw ValueError("from generator");
}

AsyncGenerator<int> counter() {
  for (int i = 0; i < 5; ++i) {
    co_await sleep(0s);
    co_yield i;
  }
}

Coroutine<> amain() {
  AsyncGenerator<int> g = gen();
  try {
    while (auto v = co_await g.next()) print("got", *v);
  } catch (const ValueError& e) {
    print("caught", e.what());
  }
  int n = 0;
  while (auto v = co_await g.next()) ++n;
  print("exhausted after error", n);
  AsyncGenerator<int> c = counter();
  try {
    while (auto v = co_await c.next()) {
      if (*v == 1) throw LookupError("body");
    }
  } catch (const LookupError&) {
    print("body error");
  }
  while (auto v = co_await c.next()) print("resumed", *v);
  co_await c.aclose();
}

}  // namespace

int main() { run(amain()); }
