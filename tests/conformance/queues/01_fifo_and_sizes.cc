// FIFO order; qsize/empty/full/maxsize; maxsize 0 or negative means unlimited.
// The twin of 01_fifo_and_sizes.py.

#include <cstddef>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

void show(const char* label, const Queue<std::string>& q) {
  print(label, "size", q.qsize(), "empty", q.empty(), "full", q.full(),
        "maxsize", q.maxsize());
}

Coroutine<> amain() {
  Queue<std::string> q(2);
  show("new", q);
  co_await q.put("a");
  show("one", q);
  co_await q.put("b");
  show("two", q);
  const std::string first = co_await q.get();
  const std::string second = co_await q.get();
  print(first, second);
  show("drained", q);
  for (int m : {0, -1}) {
    Queue<int> u(m);
    for (int i = 0; i < 1000; ++i) u.put_nowait(i);
    const size_t size = u.qsize();
    const bool full = u.full();
    print("unlimited", size, "full", full, "first", u.get_nowait());
  }
}

}  // namespace

int main() { run(amain()); }
