// Done callbacks run via the loop in the order added, get the future as
// argument, and never run inside set_result.
// The program of 05_done_callback_order.py, which prints
// 05_done_callback_order.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Future<int> fut = create_future<int>();
  for (int i = 0; i < 3; ++i) {
    fut.add_done_callback([&fut, i](Future<int> f) {
      print("callback", i, f.result(), f == fut);
    });
  }
  print("set");
  fut.set_result(7);
  print("after set");
  co_await sleep(0s);
  print("after yield");
}

}  // namespace

int main() { run(amain()); }
