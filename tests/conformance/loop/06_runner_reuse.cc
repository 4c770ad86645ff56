// Runner.run may be called repeatedly on one loop; tasks left by one run
// continue in the next; closing cancels them.
// The program of 06_runner_reuse.py, which prints 06_runner_reuse.expected.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> background(std::vector<int>& log) {
  try {
    for (int i = 0; i < 100; ++i) {
      log.push_back(i);
      co_await sleep(0s);
    }
  } catch (const CancelledError&) {
    print("background cancelled at close");
    throw;
  }
}

Coroutine<EventLoop*> first(std::vector<int>& log) {
  create_task(background(log));
  co_await sleep(0s);
  co_await sleep(0s);
  co_return &get_running_loop();
}

Coroutine<EventLoop*> second(std::vector<int>& log) {
  const size_t before = log.size();
  for (int i = 0; i < 5; ++i) co_await sleep(0s);
  print("went on", log.size() > before);
  co_return &get_running_loop();
}

}  // namespace

int main() {
  std::vector<int> log;
  Runner runner;
  EventLoop* a = runner.run(first(log));
  print("paused between runs", log.size() < 100);
  EventLoop* b = runner.run(second(log));
  print("same loop", a == b, a == &runner.get_loop());
  runner.close();
  print("closed", a->is_closed());
}
