// Eager tasks copy the context (sets do not leak to the creator) and nested
// eager creation runs depth first.
// The twin of 06_context_and_nesting.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<int> var("var", 0);

Coroutine<int> child() {
  var.set(var.get() + 100);
  co_return var.get();
}

Coroutine<int> nest(int n) {
  print("enter", n);
  int r = 0;
  if (n > 0) r = co_await create_task(nest(n - 1));
  print("leave", n);
  co_return r + 1;
}

Coroutine<> amain() {
  set_task_factory(get_running_loop(), eager_task_factory);
  var.set(5);
  const int from_child = co_await create_task(child());
  print("child", from_child, "main", var.get());
  print("nested", co_await create_task(nest(3)));
}

}  // namespace

int main() { run(amain()); }
