// Cancel(msg) is seen in the task, by result(), by exception() and by whoever
// awaits the task.
// The program of 15_message_reaches_awaiter.py, which prints
// 15_message_reaches_awaiter.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> body() {
  try {
    co_await sleep(10s);
  } catch (const CancelledError& e) {
    print("inside", e.message());
    throw;
  }
}

Coroutine<> amain() {
  for (const std::string how : {"await", "result", "exception", "wait"}) {
    Task<> t = create_task(body());
    co_await sleep(0s);
    t.cancel("msg " + how);
    try {
      if (how == "await") {
        co_await t;
      } else {
        co_await wait({t});
        if (how == "result") {
          t.result();
        } else if (how == "exception") {
          t.exception();
        } else {
          co_await t;
        }
      }
    } catch (const CancelledError& e) {
      print("outside", e.message());
    }
  }
}

}  // namespace

int main() { run(amain()); }
