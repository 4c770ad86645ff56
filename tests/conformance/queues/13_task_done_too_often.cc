// Task_done() more often than items were put raises ValueError.
// The twin of 13_task_done_too_often.py.

#include <memory>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

template <class Q>
void done_too_often(Q q) {
  try {
    q->task_done();
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
}

Coroutine<> amain() {
  done_too_often(std::make_unique<Queue<int>>());
  done_too_often(std::make_unique<LifoQueue<int>>());
  done_too_often(std::make_unique<PriorityQueue<int>>());
  Queue<int> q;
  q.put_nowait(1);
  q.task_done();
  try {
    q.task_done();
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  co_await q.join();
  print("join of an idle queue returns");
}

}  // namespace

int main() { run(amain()); }
