// Release hands over to the first waiter: the releaser asking again at once
// queues behind the others.
// The twin of 03_lock_no_barging.py.

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

Coroutine<> greedy(Lock& lock, std::vector<std::string>& log) {
  for (int i = 0; i < 3; ++i) {
    co_await lock.acquire();
    log.push_back("g" + std::to_string(i));
    co_await sleep(0s);
    lock.release();
  }
}

Coroutine<> polite(Lock& lock, std::vector<std::string>& log) {
  for (int i = 0; i < 3; ++i) {
    co_await lock.acquire();
    log.push_back("p" + std::to_string(i));
    co_await sleep(0s);
    lock.release();
  }
}

Coroutine<> amain() {
  Lock lock;
  std::vector<std::string> log;
  auto a = create_task(greedy(lock, log));
  auto b = create_task(polite(lock, log));
  co_await a;
  co_await b;
  print(join(log));
}

}  // namespace

int main() { run(amain()); }
