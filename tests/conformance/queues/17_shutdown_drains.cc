// Shutdown(): puts fail at once (blocked ones too), gets drain what is left
// and then raise QueueShutDown.
// The twin of 17_shutdown_drains.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> blocked_put(Queue<std::string>& q) {
  try {
    co_await q.put("never");
    print("put ok");
  } catch (const QueueShutDown& e) {
    print("blocked put:", exception_name(e));
  }
}

Coroutine<> amain() {
  Queue<std::string> q(2);
  q.put_nowait("a");
  q.put_nowait("b");
  auto p = create_task(blocked_put(q));
  auto j = create_task(q.join());
  co_await sleep(0s);
  q.shutdown();
  co_await p;
  for (std::string how : {"put", "put_nowait"}) {
    try {
      if (how == "put") {
        co_await q.put("c");
      } else {
        q.put_nowait("c");
      }
    } catch (const QueueShutDown&) {
      print(how, "QueueShutDown");
    }
  }
  const std::string first = co_await q.get();
  print(first, q.get_nowait());
  for (std::string how : {"get", "get_nowait"}) {
    try {
      if (how == "get") {
        co_await q.get();
      } else {
        q.get_nowait();
      }
    } catch (const QueueShutDown&) {
      print(how, "QueueShutDown");
    }
  }
  print("join done", j.done());
  q.task_done();
  q.task_done();
  co_await j;
  print("joined");
}

}  // namespace

int main() { run(amain()); }
