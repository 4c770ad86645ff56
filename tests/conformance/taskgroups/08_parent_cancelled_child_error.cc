// Parent cancelled and a child failing in its cleanup: the ExceptionGroup wins,
// but the cancellation stays pending (cancelling 1) and hits the next await.
// The twin of 08_parent_cancelled_child_error.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child() {
  co_await try_finally([] { return sleep(10s); },
                       [] { throw ValueError("cleanup"); });
}

Coroutine<> runner() {
  AnyTask me = current_task();
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
      tg.create_task(child());
      co_await sleep(10s);
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "| cancelling", me.cancelling());
  }
  try {
    co_await sleep(0s);
    print("not cancelled again");
  } catch (const CancelledError&) {
    print("pending cancellation delivered");
    throw;
  }
}

Coroutine<> amain() {
  Task<> r = create_task(runner());
  co_await sleep(10ms);
  r.cancel();
  co_await wait({r});
  print("cancelled", r.cancelled(), "cancelling", r.cancelling());
}

}  // namespace

int main() { run(amain()); }
