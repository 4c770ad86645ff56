// CancelledError is not an Exception: generic handlers do not swallow it.
// The program of 28_not_caught_as_exception.py, which prints
// 28_not_caught_as_exception.expected.

#include <chrono>
#include <exception>
#include <type_traits>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> body() {
  for (int i = 0; i < 2; ++i) {
    try {
      co_await sleep(10s);
    } catch (const std::exception& e) {
      print("generic handler swallowed", exception_name(e));
    }
    print("not reached");
  }
}

Coroutine<> failing() {
  try {
    co_await sleep(0s);
    throw ValueError("ordinary");
  } catch (const std::exception& e) {
    print("generic handler caught", exception_name(e));
  }
}

Coroutine<> amain() {
  Task<> t = create_task(body());
  co_await sleep(0s);
  t.cancel();
  try {
    co_await t;
  } catch (const CancelledError&) {
    print("cancelled", t.cancelled());
  }
  co_await failing();
  print("CancelledError is Exception",
        std::is_base_of_v<std::exception, CancelledError>);
  print("TimeoutError is Exception",
        std::is_base_of_v<std::exception, TimeoutError>);
}

}  // namespace

int main() { run(amain()); }
