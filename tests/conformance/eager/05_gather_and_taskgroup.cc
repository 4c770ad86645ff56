// Gather of coroutines that finish eagerly is done at once; TaskGroup with
// eager children works, failures included.
// The twin of 05_gather_and_taskgroup.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> quick(int n) { co_return n; }

Coroutine<int> slow(int n) {
  co_await sleep(0s);
  co_return n;
}

Coroutine<> bad() {
  throw ValueError("eager failure");
  co_return;
}

Coroutine<> amain() {
  set_task_factory(get_running_loop(), eager_task_factory);
  auto g = gather(quick(1), quick(2));
  const bool at_once = g.done();
  auto [x, y] = g.result();
  print("gather done at once", at_once, x, y);
  g = gather(quick(1), slow(2));
  const bool blocked = g.done();
  auto [u, v] = co_await g;
  print("gather with a blocking one", blocked, u, v);
  Task<int> a;
  Task<int> b;
  co_await with(TaskGroup(), [&](TaskGroup& tg) {
    a = tg.create_task(quick(1));
    b = tg.create_task(slow(2));
    print("in body", a.done(), b.done());
  });
  print(a.result(), b.result());
  Task<> s;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
      s = tg.create_task(sleep(10s));
      tg.create_task(bad());
      print("body goes on until its next await");
      co_await sleep(1s);
      print("not reached");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "sibling cancelled", s.cancelled(), "cancelling",
          current_task().cancelling());
  }
}

}  // namespace

int main() { run(amain()); }
