// Exceptions of children after the first one are consumed silently: no
// exception handler call.
// The twin of 12_gather_later_exceptions_ignored.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad(int n, Event* gate) {
  if (gate != nullptr) co_await gate->wait();
  print("raising", n);
  throw ValueError("bad " + std::to_string(n));
}

Coroutine<> amain() {
  get_running_loop().set_exception_handler(
      [](EventLoop&, const ExceptionContext& context) {
        print("handler called", context.message);
      });
  Event gate;
  try {
    co_await gather(bad(1, nullptr), bad(2, &gate), bad(3, &gate));
  } catch (const ValueError& e) {
    print("caught", e.what());
  }
  gate.set();
  co_await sleep(10ms);
  print("end");
}

}  // namespace

int main() { run(amain()); }
