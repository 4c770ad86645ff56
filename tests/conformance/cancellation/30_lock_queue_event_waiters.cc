// Cancelling a task blocked in Lock.acquire, Queue.get or Event.wait leaves
// the primitive usable and loses nothing.
// The program of 30_lock_queue_event_waiters.py, which prints
// 30_lock_queue_event_waiters.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class T>
Coroutine<bool> cancelled(Task<T> t) {
  t.cancel();
  try {
    co_await t;
  } catch (const CancelledError&) {
  }
  co_return t.cancelled();
}

Coroutine<> amain() {
  Lock lock;
  co_await lock.acquire();
  Task<bool> t = create_task(lock.acquire());
  co_await sleep(0s);
  const bool waiter = co_await cancelled(t);
  print("lock waiter", waiter, "locked", lock.locked());
  lock.release();
  print("free", !lock.locked());
  print("again", co_await lock.acquire());
  Queue<std::string> q;
  Task<std::string> getter = create_task(q.get());
  co_await sleep(0s);
  print("getter", co_await cancelled(getter));
  q.put_nowait("kept");
  print("queue", co_await q.get());
  Event ev;
  t = create_task(ev.wait());
  co_await sleep(0s);
  print("event waiter", co_await cancelled(t));
  ev.set();
  print("event", co_await ev.wait());
}

}  // namespace

int main() { run(amain()); }
