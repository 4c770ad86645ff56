// Shutdown() of an empty queue makes every blocked get raise QueueShutDown;
// join returns.
// The twin of 18_shutdown_wakes_getters.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class Q>
Coroutine<> getter(std::string name, Q& q) {
  try {
    print(name, co_await q.get());
  } catch (const QueueShutDown&) {
    print(name, "QueueShutDown");
  }
}

Coroutine<> amain() {
  Queue<std::string> q;
  std::vector<Task<>> ts;
  for (int i = 0; i < 3; ++i) {
    ts.push_back(create_task(getter("g" + std::to_string(i), q)));
  }
  co_await sleep(0s);
  q.shutdown();
  q.shutdown();
  for (Task<>& t : ts) co_await t;
  co_await q.join();
  print("joined");
  LifoQueue<std::string> l;
  auto t = create_task(getter("lifo", l));
  co_await sleep(0s);
  l.put_nowait("last item");
  l.shutdown();
  co_await t;
}

}  // namespace

int main() { run(amain()); }
