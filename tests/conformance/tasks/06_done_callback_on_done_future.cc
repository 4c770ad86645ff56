// Add_done_callback on an already done future schedules the callback with
// call_soon, it is not called immediately.
// The program of 06_done_callback_on_done_future.py, which prints
// 06_done_callback_on_done_future.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Future<std::string> fut = create_future<std::string>();
  fut.set_result("x");
  loop.call_soon([] { print("soon 1"); });
  fut.add_done_callback(
      [](Future<std::string> f) { print("late callback", f.result()); });
  loop.call_soon([] { print("soon 2"); });
  print("added");
  co_await sleep(0s);
  print("end");
}

}  // namespace

int main() { run(amain()); }
