// An async generator body runs in the context of whoever iterates it, not of
// its creator.
// The program of 09_generator_uses_callers_context.py, which prints
// 09_generator_uses_callers_context.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<std::string> var("var", "default");

AsyncGenerator<std::string> gen() {
  for (int i = 0; i < 2; ++i) {
    co_await sleep(0s);
    co_yield var.get();
    var.set("set by generator " + std::to_string(i));
  }
}

Coroutine<> consume(AsyncGenerator<std::string>& g, std::string label) {
  var.set(label);
  while (auto v = co_await g.next()) print(label, "sees", *v);
  print(label, "ends with", var.get());
}

Coroutine<> amain() {
  var.set("creator");
  AsyncGenerator<std::string> g = gen();
  co_await create_task(consume(g, "task"));
  print("creator keeps", var.get());
  for (auto it = gen(); auto v = co_await it.next();) print("inline sees", *v);
  print("inline ends with", var.get());
}

}  // namespace

int main() { run(amain()); }
