// Cancelling a waiter and releasing in the same callback lets exactly one
// other waiter in.
// The twin of 06_lock_cancel_release_race.py.

#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string join(const std::vector<T>& items) {
  std::ostringstream line;
  for (const T& item : items) line << (line.tellp() > 0 ? " " : "") << item;
  return line.str();
}

Coroutine<> lockit(Lock& lock, std::vector<std::string>& taken,
                   std::string name) {
  co_await lock.acquire();
  taken.push_back(name);
}

Coroutine<> amain() {
  Lock lock;
  std::vector<std::string> taken;
  co_await lock.acquire();
  auto t1 = create_task(lockit(lock, taken, "t1"));
  auto t2 = create_task(lockit(lock, taken, "t2"));
  auto t3 = create_task(lockit(lock, taken, "t3"));
  co_await sleep(0s);

  get_running_loop().call_soon([&] {
    t1.cancel();
    lock.release();
  });
  try {
    co_await t1;
  } catch (const CancelledError&) {
    print("t1 cancelled");
  }
  print("taken", join(taken));
  print("t2 done", t2.done(), "t3 done", t3.done(), "locked", lock.locked());
  t3.cancel();
  co_await sleep(0s);
  print("t3 cancelled", t3.cancelled());
}

}  // namespace

int main() { run(amain()); }
