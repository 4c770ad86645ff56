// Cancelling the concurrent future cancels the task in the loop; a task
// cancelled in the loop gives CancelledError in the thread. The program of
// 08_threadsafe_cancel_reaches_task.py, which prints
// 08_threadsafe_cancel_reaches_task.expected.

#include <chrono>
#include <latch>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  std::latch started(1);
  Event stopped;

  auto work = [&]() -> Coroutine<> {
    started.count_down();
    try {
      co_await sleep(10s);
    } catch (const CancelledError&) {
      print("task cancelled");
      stopped.set();
      throw;
    }
  };
  auto in_thread = [&] {
    auto f = run_coroutine_threadsafe(work, loop);
    started.wait();
    return f.cancel();
  };
  const bool r = co_await to_thread(in_thread);
  co_await wait_for(stopped.wait(), 5s);
  print("cancel returned", r);

  auto self_cancelling = []() -> Coroutine<> {
    current_task().cancel();
    co_await sleep(1s);
  };
  auto in_thread2 = [&]() -> std::string {
    auto f = run_coroutine_threadsafe(self_cancelling, loop);
    try {
      f.result(5s);
    } catch (const CancelledError&) {
      return std::string("CancelledError in thread, cancelled ") +
             (f.cancelled() ? "True" : "False");
    }
    return "None";
  };
  print(co_await to_thread(in_thread2));
}

}  // namespace

int main() { run(amain()); }
