// Awaiting registers a done callback too: callbacks and awaiting tasks run in
// one common registration order.
// The program of 29_callbacks_vs_waiters_order.py, which prints
// 29_callbacks_vs_waiters_order.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> waiter(std::string name, Future<> fut) {
  co_await fut;
  print("waiter", name);
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Future<> fut = create_future<>();
  fut.add_done_callback([] { print("callback 1"); });
  Task<> a = create_task(waiter("a", fut));
  co_await sleep(0s);
  fut.add_done_callback([] { print("callback 2"); });
  Task<> b = create_task(waiter("b", fut));
  co_await sleep(0s);
  fut.add_done_callback([] { print("callback 3"); });
  fut.set_result();
  loop.call_soon([] { print("call_soon after set"); });
  co_await a;
  co_await b;
}

}  // namespace

int main() { run(amain()); }
