// Awaiting a failing child inside the body raises CancelledError there, not the
// child's error (the group's done callback runs before the wake-up); the error
// is reported once.
// The twin of 25_await_child_in_body.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad() {
  co_await sleep(0s);
  throw ValueError("child");
}

Coroutine<> amain() {
  AnyTask me = current_task();
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
      Task<> t = tg.create_task(bad());
      try {
        co_await t;
      } catch (const ValueError& e) {
        print("body sees ValueError", e.what());
      } catch (const CancelledError&) {
        print("body sees CancelledError, task failed",
              t.exception() != nullptr);
        throw;
      }
      print("body continues, cancelling", me.cancelling());
      co_await sleep(0s);
      print("body after await");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "|", exception_message(eg.exceptions()[0]));
  }
  print("cancelling", me.cancelling());
}

}  // namespace

int main() { run(amain()); }
