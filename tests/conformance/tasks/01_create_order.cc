// Create_task only schedules - nothing runs until the creator yields, then
// first steps run in creation order.
// The program of 01_create_order.py, which prints 01_create_order.expected.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> child(int i) {
  print("start", i);
  co_await sleep(0s);
  print("end", i);
  co_return i * 10;
}

Coroutine<> amain() {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 4; ++i) {
    tasks.push_back(create_task(child(i)));
    print("created", i);
  }
  print("before yield");
  co_await sleep(0s);
  print("after one yield");
  for (const Task<int>& t : tasks) print("result", co_await t);
}

}  // namespace

int main() { run(amain()); }
