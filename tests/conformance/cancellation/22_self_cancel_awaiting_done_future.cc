// A pending self-cancel is not raised by awaiting something already done (no
// suspension); it comes at the first real suspension.
// The program of 22_self_cancel_awaiting_done_future.py, which prints
// 22_self_cancel_awaiting_done_future.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> plain() { co_return "inline"; }

Coroutine<std::string> body() {
  Future<std::string> fut = create_future<std::string>();
  fut.set_result("ready");
  current_task().cancel();
  print(co_await fut);
  print(co_await plain());
  Event ev;
  ev.set();
  print("event", co_await ev.wait());
  try {
    co_await sleep(0s);
  } catch (const CancelledError&) {
    print("cancelled at first suspension");
  }
  co_return "end";
}

Coroutine<> amain() { print(co_await create_task(body())); }

}  // namespace

int main() { run(amain()); }
