// Timeout around a TaskGroup: children are cancelled, plain expiry gives
// TimeoutError, a failing cleanup gives ExceptionGroup.
// The twin of 51_timeout_with_taskgroup.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child(std::string name, bool fail) {
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    print(name, "cancelled");
    if (fail) throw ValueError(name);
    throw;
  }
}

Coroutine<> amain() {
  AnyTask me = current_task();
  for (const bool fail : {false, true}) {
    Timeout cm = timeout(20ms);
    try {
      co_await with(cm, [&] {
        return with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
          tg.create_task(child("child", fail));
          co_await sleep(10s);
        });
      });
    } catch (const TimeoutError&) {
      print("TimeoutError", cm.expired(), me.cancelling());
    } catch (const ExceptionGroup& eg) {
      print("ExceptionGroup", eg.exceptions().size(),
            exception_name(eg.exceptions()[0]), cm.expired(), me.cancelling());
    }
  }
}

}  // namespace

int main() { run(amain()); }
