// A getter cancelled after an item was put for it: the item stays, order is
// kept, the next getter is woken.
// The twin of 09_cancelled_getter_keeps_item.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Queue<std::string> q;
  auto r = create_task(q.get());
  co_await sleep(0s);
  q.put_nowait("1");
  q.put_nowait("2");
  r.cancel();
  try {
    print("got", co_await r);
  } catch (const CancelledError&) {
    print("cancelled, size", q.qsize());
  }
  const std::string first = co_await q.get();
  const std::string second = co_await q.get();
  print(first, second);
  auto a = create_task(q.get());
  auto b = create_task(q.get());
  co_await sleep(0s);
  q.put_nowait("for a");
  a.cancel();
  co_await wait({a, b}, {.timeout = 500ms});
  print("a cancelled", a.cancelled(), "b", b.result());
}

}  // namespace

int main() { run(amain()); }
