// Several releases before any waiter ran: all of them wake in FIFO order
// before a task created later runs.
// The twin of 24_semaphore_multi_wakeup.py.

#include <sstream>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

template <class T>
std::string join(const std::vector<T>& items) {
  std::ostringstream line;
  for (const T& item : items) line << (line.tellp() > 0 ? " " : "") << item;
  return line.str();
}

Coroutine<> amain() {
  Semaphore sem(0);
  std::vector<int> log;
  std::vector<Task<>> late;

  auto c4 = [&]() -> Coroutine<> {
    log.push_back(4);
    co_return;
  };

  auto c1 = [&]() -> Coroutine<> {
    co_await sem.acquire();
    late.push_back(create_task(c4()));
    log.push_back(1);
  };

  auto c2 = [&]() -> Coroutine<> {
    sem.release();
    sem.release();
    sem.release();
    print("locked although value left", sem.locked());
    co_await sem.acquire();
    log.push_back(2);
  };

  auto c3 = [&]() -> Coroutine<> {
    co_await sem.acquire();
    log.push_back(3);
  };

  auto t1 = create_task(c1());
  auto t2 = create_task(c2());
  auto t3 = create_task(c3());
  co_await gather(t1, t2, t3);
  co_await late[0];
  print(join(log));
}

}  // namespace

int main() { run(amain()); }
