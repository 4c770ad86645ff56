// Notify_all wakes everybody, one after the other under the lock; waiters
// arriving later are not woken.
// The twin of 12_condition_notify_all.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(std::string name, Condition& cond) {
  co_await with(cond, [&]() -> Coroutine<> {
    co_await cond.wait();
    print(name, "has lock");
    co_await sleep(0s);
    print(name, "leaves");
  });
}

Coroutine<> amain() {
  Condition cond;
  std::vector<Task<>> ts;
  for (int i = 0; i < 3; ++i) {
    ts.push_back(create_task(waiter("w" + std::to_string(i), cond)));
  }
  co_await sleep(0s);
  Task<> late;
  co_await with(cond, [&] {
    cond.notify_all();
    late = create_task(waiter("late", cond));
  });
  for (Task<>& t : ts) co_await t;
  print("late done", late.done());
  co_await with(cond, [&] { cond.notify_all(); });
  co_await late;
}

}  // namespace

int main() { run(amain()); }
