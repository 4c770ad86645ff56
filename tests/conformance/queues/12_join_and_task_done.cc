// Join() waits until task_done() was called for every put item; unfinished
// work counts even when the queue is empty.
// The twin of 12_join_and_task_done.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Queue<std::string> q;
  for (int i = 0; i < 3; ++i) q.put_nowait(std::to_string(i));
  auto j = create_task(q.join());
  for (int i = 0; i < 3; ++i) co_await q.get();
  co_await sleep(0s);
  print("empty", q.empty(), "joined", j.done());
  q.task_done();
  q.task_done();
  co_await sleep(0s);
  print("joined", j.done());
  q.task_done();
  co_await j;
  print("joined", j.done());
  co_await q.join();
  q.put_nowait("more");
  j = create_task(q.join());
  co_await sleep(0s);
  print("joined again", j.done());
  q.task_done();
  co_await j;
  print("task_done before get is allowed, size", q.qsize());
}

}  // namespace

int main() { run(amain()); }
