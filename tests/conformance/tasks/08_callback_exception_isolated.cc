// A raising done callback goes to the loop exception handler; later callbacks
// and awaiting tasks still run.
// The program of 08_callback_exception_isolated.py, which prints
// 08_callback_exception_isolated.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

void bad() {
  print("bad runs");
  throw ValueError("boom");
}

Coroutine<> waiter(Future<std::string> fut) {
  print("waiter got", co_await fut);
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  loop.set_exception_handler([](EventLoop&, const ExceptionContext& ctx) {
    print("handler", exception_name(ctx.exception),
          exception_message(ctx.exception));
  });
  Future<std::string> fut = create_future<std::string>();
  fut.add_done_callback([] { print("first"); });
  fut.add_done_callback(bad);
  fut.add_done_callback([] { print("third"); });
  Task<> w = create_task(waiter(fut));
  co_await sleep(0s);
  fut.set_result("value");
  co_await w;
  print("end");
}

}  // namespace

int main() { run(amain()); }
