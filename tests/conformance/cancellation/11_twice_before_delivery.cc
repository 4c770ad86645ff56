// Several cancel() calls before the task runs again deliver one
// CancelledError, count all requests; on a blocked await the first message
// wins.
// The program of 11_twice_before_delivery.py, which prints
// 11_twice_before_delivery.expected.

#include <chrono>
#include <string>
#include <utility>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::pair<int, std::string>> body() {
  int n = 0;
  std::string msg;
  for (int i = 0; i < 3; ++i) {
    try {
      co_await sleep(20ms);
    } catch (const CancelledError& e) {
      ++n;
      msg += e.message() + ";";
    }
  }
  co_return std::pair(n, msg);
}

Coroutine<> amain() {
  Task<std::pair<int, std::string>> t = create_task(body());
  co_await sleep(0s);
  const bool a = t.cancel("a");
  const bool b = t.cancel("b");
  const bool c = t.cancel("c");
  print(a, b, c, "cancelling", t.cancelling());
  const auto [n, msg] = co_await t;
  print("delivered", n, msg);
}

}  // namespace

int main() { run(amain()); }
