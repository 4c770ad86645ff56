// Set() immediately followed by clear() still wakes the tasks that were
// waiting.
// The twin of 09_event_set_then_clear.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(std::string name, Event& ev) {
  const bool woken = co_await ev.wait();
  print(name, woken, "is_set", ev.is_set());
}

Coroutine<> amain() {
  Event ev;
  std::vector<Task<>> ts;
  for (int i = 0; i < 2; ++i) {
    ts.push_back(create_task(waiter("w" + std::to_string(i), ev)));
  }
  co_await sleep(0s);
  ev.set();
  ev.clear();
  auto late = create_task(waiter("late", ev));
  for (int i = 0; i < 3; ++i) co_await sleep(0s);
  print("done", ts[0].done(), ts[1].done(), "late", late.done());
  ev.set();
  co_await late;
}

}  // namespace

int main() { run(amain()); }
