// Concurrent sleeps wake in delay order whatever the start order; sleep
// returns its result argument.
// The program of 21_sleep_sort.py, which prints 21_sleep_sort.expected.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> item(int n) {
  const std::string r = co_await sleep(n * 30ms, "r" + std::to_string(n));
  print("woke", n, r);
  co_return n;
}

Coroutine<> amain() {
  std::vector<Task<int>> tasks;
  for (const int n : {4, 1, 3, 2}) tasks.push_back(create_task(item(n)));
  for (const Task<int>& t : tasks) print("await", co_await t);
  const std::string zero = co_await sleep(0s, std::string("zero"));
  const std::string negative = co_await sleep(-1s, std::string("negative"));
  print(zero, negative);
}

}  // namespace

int main() { run(amain()); }
