// A body failing before its children ever ran: the children never start and end
// cancelled; even a lone body error is wrapped in a group.
// The twin of 06_body_exception_before_start.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> child() {
  print("must not start");
  co_return;
}

Coroutine<> amain() {
  Task<> t;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) {
      t = tg.create_task(child());
      throw ValueError("early");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "|", exception_message(eg.exceptions()[0]));
  }
  print("child done", t.done(), "cancelled", t.cancelled());
  try {
    co_await with(TaskGroup(), [] { throw ValueError("alone"); });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "|", exception_message(eg.exceptions()[0]));
  }
}

}  // namespace

int main() { run(amain()); }
