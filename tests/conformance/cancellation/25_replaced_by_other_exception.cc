// An exception raised while handling the cancellation replaces it: the task
// failed, it is not cancelled.
// The program of 25_replaced_by_other_exception.py, which prints
// 25_replaced_by_other_exception.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> body() {
  co_await try_finally(sleep(10s), [] { throw ValueError("cleanup failed"); });
  co_return "not reached";
}

Coroutine<std::string> body2() {
  const Result<> slept = co_await as_result(sleep(10s));
  if (slept.cancelled()) {
    co_return co_await sleep(0s, std::string("recovered"));
  }
  co_return "not cancelled";
}

Coroutine<> amain() {
  Task<std::string> t = create_task(body());
  co_await sleep(0s);
  t.cancel();
  try {
    co_await t;
  } catch (const ValueError& e) {
    print("failed", e.what());
  }
  print("cancelled", t.cancelled(), "exception", exception_name(t.exception()));
  t = create_task(body2());
  co_await sleep(0s);
  t.cancel();
  print(co_await t);
}

}  // namespace

int main() { run(amain()); }
