// An error in the outer group's child cancels the inner group; only the
// original error is reported.
// The twin of 12_nested_outer_error.py.

#include <chrono>
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
      outer.create_task(crash_after("outer child", 20ms));
      try {
        co_await with(TaskGroup(), [](TaskGroup& inner) {
          inner.create_task(crash_after("inner child", 10s));
        });
      } catch (const CancelledError&) {
        print("inner group raised CancelledError");
        throw;
      }
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "|", exception_name(eg.exceptions()[0]),
          exception_message(eg.exceptions()[0]));
  }
  print("cancelling", current_task().cancelling());
}

}  // namespace

int main() { run(amain()); }
