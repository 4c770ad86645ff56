// Loop.stop() during run_until_complete raises RuntimeError, and the task can
// be completed later.
// The program of 10_stopped_before_complete.py, which prints
// 10_stopped_before_complete.expected.

#include <chrono>
#include <memory>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> stopper() {
  get_running_loop().stop();
  print("stop called");
  co_await sleep(10ms);
  co_return "finished later";
}

}  // namespace

int main() {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Task<std::string> t = create_task(*loop, stopper());
  try {
    run_until_complete(*loop, t);
  } catch (const RuntimeError& e) {
    print("RuntimeError", e.what());
  }
  print("running", loop->is_running(), "done", t.done());
  print(run_until_complete(*loop, t));
  loop->close();
}
