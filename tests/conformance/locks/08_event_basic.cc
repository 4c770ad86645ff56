// Wait returns True, all waiters wake in FIFO order, waiting on a set event
// does not block, clear makes it block again.
// The twin of 08_event_basic.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(std::string name, Event& ev) {
  print(name, co_await ev.wait());
}

Coroutine<> amain() {
  Event ev;
  std::vector<Task<>> ts;
  for (int i = 0; i < 3; ++i) {
    ts.push_back(create_task(waiter("w" + std::to_string(i), ev)));
  }
  co_await sleep(0s);
  print("set", ev.is_set());
  ev.set();
  ev.set();
  print("set", ev.is_set());
  for (Task<>& t : ts) co_await t;
  std::vector<int> flag;
  get_running_loop().call_soon([&] { flag.push_back(1); });
  const bool again = co_await ev.wait();
  print("again", again, "yielded", flag.size() == 1);
  ev.clear();
  auto t = create_task(waiter("after clear", ev));
  co_await sleep(0s);
  co_await sleep(0s);
  print("blocked", !t.done());
  ev.set();
  co_await t;
}

}  // namespace

int main() { run(amain()); }
