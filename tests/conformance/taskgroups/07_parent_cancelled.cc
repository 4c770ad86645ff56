// Cancelling the parent cancels all children, waits for them and raises plain
// CancelledError.
// The twin of 07_parent_cancelled.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child(int& count) {
  co_await try_finally([] { return sleep(10s); },
                       [&]() -> Coroutine<> {
                         co_await sleep(20ms);
                         ++count;
                       });
}

Coroutine<> runner(int& count, bool body_awaits) {
  co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
    for (int i = 0; i < 3; ++i) tg.create_task(child(count));
    if (body_awaits) {
      try {
        co_await sleep(10s);
      } catch (const CancelledError& e) {
        print("body", e.message());
        throw;
      }
    }
  });
}

Coroutine<> amain() {
  for (const bool body_awaits : {false, true}) {
    int count = 0;
    Task<> r = create_task(runner(count, body_awaits));
    co_await sleep(10ms);
    r.cancel("stop");
    try {
      co_await r;
    } catch (const CancelledError& e) {
      print("runner cancelled", r.cancelled(), "children ended", count,
            e.message());
    }
    print("cancelling", r.cancelling());
  }
}

}  // namespace

int main() { run(amain()); }
