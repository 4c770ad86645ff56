// Ensure_future returns the very same task/future it is given and wraps a
// coroutine in a new task.
// The program of 26_ensure_future.py, which prints 26_ensure_future.expected.

#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<std::string> coro() { co_return "c"; }

Coroutine<> amain() {
  Task<std::string> t = create_task(coro());
  print("same task", ensure_future(t) == t);
  Future<> f = create_future<>();
  print("same future", ensure_future(f) == f);
  Future<std::string> w = ensure_future(coro());
  print("wrapped done", w.done());
  const std::string of_w = co_await w;
  const std::string of_t = co_await t;
  print(of_w, of_t);
  f.cancel();
}

}  // namespace

int main() { run(amain()); }
