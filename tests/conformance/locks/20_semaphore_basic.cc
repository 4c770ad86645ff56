// Counting, locked() when exhausted, initial value 0 allowed, negative is
// ValueError, release without waiters grows the value.
// The twin of 20_semaphore_basic.py.

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  Semaphore sem(2);
  bool acquired = co_await sem.acquire();
  print(acquired, sem.locked());
  acquired = co_await sem.acquire();
  print(acquired, sem.locked());
  sem.release();
  print("locked", sem.locked());
  sem.release();
  sem.release();
  int n = 0;
  while (!sem.locked()) {
    co_await sem.acquire();
    ++n;
  }
  print("acquired", n);
  print("zero", Semaphore(0).locked());
  try {
    Semaphore negative(-1);
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  try {
    BoundedSemaphore negative(-1);
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
}

}  // namespace

int main() { run(amain()); }
