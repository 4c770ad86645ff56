// Set_result / Event.set do not switch to the waiter - the setter runs on
// until it yields.
// The program of 23_setter_continues_before_waiters.py, which prints
// 23_setter_continues_before_waiters.expected.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(std::string name, Future<int> fut) {
  print(name, "waits");
  print(name, "got", co_await fut);
}

Coroutine<> amain() {
  Future<int> fut = create_future<int>();
  std::vector<Task<>> ts;
  for (const char* n : {"w1", "w2"}) ts.push_back(create_task(waiter(n, fut)));
  co_await sleep(0s);
  print("setting");
  fut.set_result(5);
  print("still in setter");
  ts.push_back(create_task(waiter("late", fut)));
  print("setter yields");
  for (const Task<>& t : ts) co_await t;
}

}  // namespace

int main() { run(amain()); }
