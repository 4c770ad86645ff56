// to_thread returns the function's result, passes arguments, rethrows its
// exception, and runs off the loop's thread.
// The program of 01_to_thread_basic.py, which prints
// 01_to_thread_basic.expected.

#include <thread>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

int work(int a, int b) { return a + b; }

void bad() { throw ValueError("in thread"); }

Coroutine<> amain() {
  print(co_await to_thread(work, 40, 2));
  try {
    co_await to_thread(bad);
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  const std::thread::id me = std::this_thread::get_id();
  print("other thread", co_await to_thread(std::this_thread::get_id) != me);
}

}  // namespace

int main() { run(amain()); }
