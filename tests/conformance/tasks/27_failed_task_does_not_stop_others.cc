// An exception in one task is stored in it; the other tasks and the loop go
// on.
// The program of 27_failed_task_does_not_stop_others.py, which prints
// 27_failed_task_does_not_stop_others.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad() {
  print("bad starts");
  throw ValueError("bad");
  co_return;
}

Coroutine<std::string> good() {
  for (int i = 0; i < 2; ++i) {
    print("good", i);
    co_await sleep(0s);
  }
  co_return "good result";
}

Coroutine<> amain() {
  Task<> b = create_task(bad());
  Task<std::string> g = create_task(good());
  print(co_await g);
  print("b done", b.done(), "cancelled", b.cancelled());
  print("b exception", exception_name(b.exception()),
        exception_message(b.exception()));
}

}  // namespace

int main() { run(amain()); }
