// Iteration of one as_completed iterator can stop and be resumed without losing
// results.
// The twin of 25_as_completed_resume.py.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> job(int n) {
  co_await sleep(30ms * n);
  co_return n;
}

Coroutine<> amain() {
  std::vector<Task<int>> ts;
  for (int n = 0; n < 5; ++n) ts.push_back(create_task(job(n)));
  auto it = as_completed(ts);
  while (auto task = co_await it.next()) {
    const int r = co_await *task;
    print("first loop", r);
    if (r == 1) break;
  }
  co_await sleep(50ms);
  while (auto task = co_await it.next()) {
    print("second loop", co_await *task);
  }
}

}  // namespace

int main() { run(amain()); }
