// Items already taken still need task_done() after an immediate shutdown
// before join returns.
// The twin of 20_shutdown_immediate_unfinished.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class Q>
Coroutine<> shut_down(Q& q) {
  q.put_nowait("data");
  q.put_nowait("data");
  auto j = create_task(q.join());
  print(co_await q.get());
  q.shutdown({.immediate = true});
  co_await sleep(0s);
  co_await sleep(0s);
  print("size", q.qsize(), "joined", j.done());
  q.task_done();
  co_await sleep(0s);
  co_await sleep(0s);
  print("joined", j.done());
  try {
    q.task_done();
  } catch (const ValueError&) {
    print("ValueError");
  }
}

Coroutine<> amain() {
  Queue<std::string> fifo;
  co_await shut_down(fifo);
  LifoQueue<std::string> lifo;
  co_await shut_down(lifo);
  PriorityQueue<std::string> priority;
  co_await shut_down(priority);
}

}  // namespace

int main() { run(amain()); }
