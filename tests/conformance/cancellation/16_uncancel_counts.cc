// Cancelling()/uncancel() count requests, uncancel never goes below zero and
// does not undo a delivered cancellation.
// The program of 16_uncancel_counts.py, which prints
// 16_uncancel_counts.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> body() {
  const AnyTask me = current_task();
  const int start = me.cancelling();
  print("start", start, "uncancel", me.uncancel());
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    print("caught", me.cancelling());
    const int left = me.uncancel();
    print("uncancel", left, "now", me.cancelling());
  }
  co_await sleep(0s);
  co_return "went on";
}

Coroutine<> amain() {
  Task<std::string> t = create_task(body());
  co_await sleep(0s);
  t.cancel();
  print("requested", t.cancelling());
  print(co_await t);
  Task<> t2 = create_task(sleep(10s));
  co_await sleep(0s);
  t2.cancel();
  print("uncancel from outside", t2.uncancel());
  try {
    co_await t2;
  } catch (const CancelledError&) {
    print("still cancelled", t2.cancelled(), t2.cancelling());
  }
}

}  // namespace

int main() { run(amain()); }
