// As_completed yields in completion order, plain iteration gives awaitables
// producing the results.
// The twin of 21_as_completed_order.py.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> job(int n) {
  co_await sleep(40ms * n);
  co_return n;
}

Coroutine<> amain() {
  std::vector<Task<int>> ts;
  for (const int n : {3, 1, 2}) ts.push_back(create_task(job(n)));
  for (auto it = as_completed(ts); auto task = co_await it.next();) {
    print("got", co_await *task);
  }
  bool all = true;
  for (const Task<int>& t : ts) all = all && t.done();
  print("all done", all);
  int n = 0;
  const std::vector<Task<int>> none;
  for (auto it = as_completed(none); auto task = co_await it.next();) ++n;
  print("empty yields", n);
}

}  // namespace

int main() { run(amain()); }
