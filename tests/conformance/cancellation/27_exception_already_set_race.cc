// Same race with an exception: CancelledError is delivered, not the exception.
// The program of 27_exception_already_set_race.py, which prints
// 27_exception_already_set_race.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> waiter(Future<> fut) {
  try {
    co_await fut;
  } catch (const CancelledError&) {
    print("CancelledError");
  } catch (const ValueError&) {
    print("ValueError");
  }
  co_return exception_message(fut.exception());
}

Coroutine<> amain() {
  Future<> fut = create_future<>();
  Task<std::string> t = create_task(waiter(fut));
  co_await sleep(0s);
  fut.set_exception(ValueError("from future"));
  t.cancel();
  print(co_await t);
}

}  // namespace

int main() { run(amain()); }
