// After gather.cancel() the outer raises CancelledError even if all children
// swallow it and return values.
// The twin of 10_gather_children_swallow_cancel.py.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> child(int n) {
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    print("swallowed", n);
  }
  co_return n;
}

Coroutine<> amain() {
  std::vector<Task<int>> ts;
  for (int i = 0; i < 2; ++i) ts.push_back(create_task(child(i)));
  auto g = gather(ts);
  co_await sleep(0s);
  print(g.cancel());
  try {
    std::vector<int> results = co_await g;
    print("results", results[0], results[1]);
  } catch (const CancelledError&) {
    print("CancelledError");
  }
  print("children", ts[0].result(), ts[1].result());
}

}  // namespace

int main() { run(amain()); }
