// An error in an inner group reaches the outer group's handler as a group
// inside a group.
// The twin of 11_nested_inner_error.py.

#include <chrono>
#include <exception>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> crash_after(std::string name, Duration delay) {
  try {
    co_await sleep(delay);
  } catch (const CancelledError&) {
    print(name, "cancelled");
    throw;
  }
  throw ValueError(name);
}

Coroutine<> amain() {
  try {
    co_await with(TaskGroup(), [](TaskGroup& outer) -> Coroutine<> {
      outer.create_task(crash_after("outer child", 10s));
      co_await with(TaskGroup(), [](TaskGroup& inner) {
        inner.create_task(crash_after("inner child", 20ms));
      });
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what());
    const std::exception_ptr first = eg.exceptions()[0];
    auto* sub = exception_cast<ExceptionGroup>(first);
    print(exception_name(first), sub->exceptions().size(),
          exception_name(sub->exceptions()[0]),
          exception_message(sub->exceptions()[0]));
  }
}

}  // namespace

int main() { run(amain()); }
