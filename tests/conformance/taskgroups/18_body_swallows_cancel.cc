// The body swallowing the CancelledError caused by a failing child does not
// hide the error; code after it runs uncancelled.
// The twin of 18_body_swallows_cancel.py.

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
      tg.create_task(bad());
      try {
        co_await sleep(10s);
      } catch (const CancelledError&) {
        print("swallowed, cancelling", me.cancelling());
      }
      co_await sleep(0s);
      print("body goes on");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "| cancelling", me.cancelling());
  }
  co_await sleep(0s);
  print("fine");
}

}  // namespace

int main() { run(amain()); }
