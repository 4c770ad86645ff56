// A failure while the group waits in exit: siblings cancelled, group raised,
// parent not left cancelled.
// The twin of 19_body_ends_before_failure.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad() {
  co_await sleep(20ms);
  throw ValueError("late");
}

Coroutine<> amain() {
  AnyTask me = current_task();
  Task<> sibling;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) {
      sibling = tg.create_task(sleep(10s));
      tg.create_task(bad());
      print("body done");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what());
  }
  print("sibling", sibling.cancelled(), "cancelling", me.cancelling());
  co_await sleep(0s);
  Task<std::string> t;
  co_await with(TaskGroup(), [&](TaskGroup& tg) {
    t = tg.create_task(sleep(0s, std::string("second group")));
  });
  print(t.result());
}

}  // namespace

int main() { run(amain()); }
