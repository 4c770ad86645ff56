// A TaskGroup can be entered only once.
// The twin of 15_double_enter.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> enter(TaskGroup& tg, std::string label) {
  try {
    co_await with(tg, [&] { print(label, "entered"); });
  } catch (const RuntimeError& e) {
    print(label, "RuntimeError",
          std::string(e.what()).ends_with("has already been entered"));
  }
}

Coroutine<> amain() {
  TaskGroup tg;
  co_await with(tg, [&] { return enter(tg, "inside"); });
  co_await enter(tg, "after");
}

}  // namespace

int main() { run(amain()); }
