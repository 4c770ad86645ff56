// KeyboardInterrupt in the body cancels the children and propagates bare, not
// in a group.
// The twin of 22_base_exception_body.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child() {
  co_await try_finally([] { return sleep(10s); },
                       [] { print("child cancelled"); });
}

Coroutine<> amain() {
  try {
    co_await with(TaskGroup(), [](TaskGroup& tg) -> Coroutine<> {
      tg.create_task(child());
      co_await sleep(0s);
      throw KeyboardInterrupt();
    });
  } catch (const BaseExceptionGroup&) {
    print("group (wrong)");
  } catch (const KeyboardInterrupt&) {
    print("KeyboardInterrupt");
  }
}

}  // namespace

int main() { run(amain()); }
