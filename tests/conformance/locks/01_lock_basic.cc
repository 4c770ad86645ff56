// Acquire returns True, locked(), async with releases also on exceptions,
// release of an unlocked lock is RuntimeError.
// The twin of 01_lock_basic.py.

#include <memory>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  Lock lock;
  print("locked", lock.locked());
  const bool acquired = co_await lock.acquire();
  print("acquire", acquired, lock.locked());
  lock.release();
  try {
    lock.release();
  } catch (const RuntimeError& e) {
    print("RuntimeError", e.what());
  }
  co_await with(lock, [&] { print("inside", lock.locked()); });
  print("outside", lock.locked());
  try {
    co_await with(lock, [] { throw ValueError("body"); });
  } catch (const ValueError& e) {
    print(e.what(), "locked", lock.locked());
  }
  // Called when this frame has gone.
  auto before = std::make_shared<std::vector<int>>();
  get_running_loop().call_soon([before] { before->push_back(1); });
  co_await lock.acquire();
  print("uncontended acquire does not yield", before->empty());
  lock.release();
}

}  // namespace

int main() { run(amain()); }
