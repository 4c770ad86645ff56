// At the end of run leftover tasks are cancelled and awaited - their finally
// blocks (with awaits) run before run returns.
// The program of 04_run_cancels_leftovers.py, which prints
// 04_run_cancels_leftovers.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> leftover() {
  auto cleanup = []() -> Coroutine<> {
    print("cleanup begins");
    co_await sleep(20ms);
    print("cleanup ends");
  };
  co_await try_finally(sleep(10s), cleanup);
}

Coroutine<std::string> stubborn() {
  const Result<> slept = co_await as_result(sleep(10s));
  if (slept.cancelled()) {
    co_await sleep(50ms);
    print("stubborn returns");
    co_return "kept";
  }
  co_return "not cancelled";
}

Coroutine<> late_starter() {
  print("late starter gets its first step in the last iteration");
  co_return;
}

Task<> first;
Task<std::string> second;
Task<> third;

Coroutine<int> amain() {
  first = create_task(leftover());
  second = create_task(stubborn());
  co_await sleep(0s);
  third = create_task(late_starter());
  print("main returns");
  co_return 123;
}

}  // namespace

int main() {
  print(run(amain()));
  print(first.cancelled(), second.result(), third.cancelled());
}
