// Running a running loop again, or another loop inside it, raises
// RuntimeError.
// The program of 14_nested_loops.py, which prints 14_nested_loops.expected.

#include <chrono>
#include <memory>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> amain(EventLoop& outer, EventLoop& other) {
  Future<> f = create_future<>(outer);
  try {
    run_until_complete(outer, f);
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  Future<> g = create_future<>(other);
  try {
    run_until_complete(other, g);
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  co_await sleep(0s);
  co_return "outer fine";
}

}  // namespace

int main() {
  std::unique_ptr<EventLoop> outer = new_event_loop();
  std::unique_ptr<EventLoop> other = new_event_loop();
  print(run_until_complete(*outer, amain(*outer, *other)));
  outer->close();
  other->close();
}
