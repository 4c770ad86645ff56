// An item taken by get_nowait before the woken getter runs: the getter waits
// again instead of failing.
// The twin of 08_stolen_item.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> getter(Queue<std::string>& q) {
  std::string v = co_await q.get();
  print("getter got", v);
  co_return v;
}

Coroutine<> amain() {
  Queue<std::string> q;
  auto t = create_task(getter(q));
  co_await sleep(0s);
  q.put_nowait("one");
  print("stolen", q.get_nowait());
  co_await sleep(0s);
  co_await sleep(0s);
  print("getter done", t.done());
  q.put_nowait("two");
  co_await t;
  Queue<std::string> f(1);
  f.put_nowait("0");
  auto p = create_task(f.put("blocked"));
  co_await sleep(0s);
  f.get_nowait();
  f.put_nowait("barged in");
  co_await sleep(0s);
  print("putter done", p.done());
  print(f.get_nowait());
  co_await p;
  print(f.get_nowait());
}

}  // namespace

int main() { run(amain()); }
