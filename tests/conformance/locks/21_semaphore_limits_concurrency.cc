// At most N holders; entries in FIFO order.
// The twin of 21_semaphore_limits_concurrency.py.

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string join(const std::vector<T>& items) {
  std::ostringstream line;
  for (const T& item : items) line << (line.tellp() > 0 ? " " : "") << item;
  return line.str();
}

Coroutine<> amain() {
  Semaphore sem(3);
  int cur = 0;
  int max = 0;
  std::vector<int> order;

  auto job = [&](int i) -> Coroutine<> {
    auto held = co_await sem.scoped_acquire();
    order.push_back(i);
    ++cur;
    max = std::max(max, cur);
    co_await sleep(0s);
    co_await sleep(0s);
    --cur;
  };

  std::vector<Coroutine<>> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(job(i));
  co_await gather(std::move(jobs));
  print("max", max, "left", cur);
  print(join(order));
}

}  // namespace

int main() { run(amain()); }
