// Waiting getters are served in the order they started waiting, one per put.
// The twin of 06_getters_fifo.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> getter(std::string name, Queue<std::string>& q) {
  print(name, "got", co_await q.get());
}

Coroutine<> amain() {
  Queue<std::string> q;
  std::vector<Task<>> ts;
  for (int i = 0; i < 3; ++i) {
    ts.push_back(create_task(getter("g" + std::to_string(i), q)));
  }
  co_await sleep(0s);
  q.put_nowait("x");
  q.put_nowait("y");
  co_await sleep(0s);
  print("done", ts[0].done(), ts[1].done(), ts[2].done());
  co_await q.put("z");
  co_await ts[2];
}

}  // namespace

int main() { run(amain()); }
