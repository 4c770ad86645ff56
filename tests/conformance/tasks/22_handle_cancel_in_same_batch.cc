// Handle.cancel() from an earlier callback stops a later callback that is
// already in the ready batch.
// The program of 22_handle_cancel_in_same_batch.py, which prints
// 22_handle_cancel_in_same_batch.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Handle third;
  TimerHandle timer;
  auto say = [](const char* text) { print(text); };
  auto first = [&] {
    print("first");
    third.cancel();
    timer.cancel();
  };
  loop.call_soon(first);
  loop.call_soon(say, "second");
  third = loop.call_soon(say, "third must not run");
  loop.call_soon(say, "fourth");
  timer = loop.call_later(20ms, say, "timer must not run");
  print("cancelled", third.cancelled());
  co_await sleep(50ms);
  print("cancelled", third.cancelled(), timer.cancelled());
  third.cancel();
  print("cancel twice is harmless");
}

}  // namespace

int main() { run(amain()); }
