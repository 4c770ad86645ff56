// Create_task(name=) works and tasks start in creation order after the body
// yields.
// The twin of 24_task_name_and_order.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> show(int n) {
  print("start", n, current_task().get_name());
  co_await sleep(0s);
  co_return n;
}

Coroutine<> amain() {
  std::vector<Task<int>> ts;
  co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
    for (int i = 0; i < 3; ++i) {
      const std::string name = "job-" + std::to_string(i);
      ts.push_back(tg.create_task(show(i), {.name = name}));
    }
    print("created");
    co_await sleep(0s);
    print("body after yield");
  });
  print(ts[0].result(), ts[1].result(), ts[2].result());
}

}  // namespace

int main() { run(amain()); }
