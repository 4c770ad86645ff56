// Shield() of an already finished future returns that very future; shield of a
// pending one is a distinct future.
// The twin of 28_shield_done_shortcut.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Future<int> f = create_future<int>();
  f.set_result(42);
  print("same", shield(f) == f);
  Future<std::string> g = create_future<std::string>();
  Future<std::string> s = shield(g);
  print("same", s == g);
  g.set_result("late");
  print("shield done before callbacks", s.done());
  print(co_await s);
}

}  // namespace

int main() { run(amain()); }
