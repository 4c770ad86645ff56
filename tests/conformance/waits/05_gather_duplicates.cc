// The same task given several times runs once and fills every slot.
// The twin of 05_gather_duplicates.py.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> job(std::vector<int>& log) {
  log.push_back(1);
  co_await sleep(0s);
  co_return static_cast<int>(log.size());
}

Coroutine<> amain() {
  std::vector<int> log;
  std::vector<int> other;
  Task<int> t = create_task(job(log));
  Task<int> u = create_task(job(other));
  auto [a, b, c, d] = co_await gather(t, u, t, t);
  print("results", a, b, c, d);
  print("runs", log.size());
}

}  // namespace

int main() { run(amain()); }
