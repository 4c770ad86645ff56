// Child error and outside cancel together: group raises ExceptionGroup,
// cancelling() is 1 in and after the handler, next await is cancelled.
// The twin of 09_error_and_parent_cancel_same_time.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> raise_error(Event& event) {
  event.set();
  co_await sleep(0s);
  throw RuntimeError("child");
}

Coroutine<> inner(Event& event) {
  AnyTask me = current_task();
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
      tg.create_task(raise_error(event));
      co_await sleep(1s);
    });
  } catch (const ExceptionGroup& eg) {
    print("group", eg.exceptions().size(), "cancelling", me.cancelling());
  }
  print("after, cancelling", me.cancelling());
  co_await sleep(1s);
  print("not reached");
}

Coroutine<> amain() {
  Event event;
  Task<> t = create_task(inner(event));
  co_await event.wait();
  print("before", t.cancelling());
  t.cancel();
  print("requested", t.cancelling());
  co_await wait({t});
  print("cancelled", t.cancelled());
}

}  // namespace

int main() { run(amain()); }
