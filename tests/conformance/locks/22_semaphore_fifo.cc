// A releaser that asks again goes to the end of the queue: c1 c2 c3 c1 c2 c3.
// The twin of 22_semaphore_fifo.py.

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

Coroutine<> coro(std::string tag, Semaphore& sem,
                 std::vector<std::string>& log) {
  co_await sem.acquire();
  log.push_back(tag + "_1");
  co_await sleep(10ms);
  sem.release();
  co_await sem.acquire();
  log.push_back(tag + "_2");
  co_await sleep(10ms);
  sem.release();
}

Coroutine<> amain() {
  Semaphore sem(1);
  std::vector<std::string> log;
  co_await with(TaskGroup(), [&](TaskGroup& tg) {
    for (const char* tag : {"c1", "c2", "c3"}) {
      tg.create_task(coro(tag, sem, log));
    }
  });
  print(join(log));
}

}  // namespace

int main() { run(amain()); }
