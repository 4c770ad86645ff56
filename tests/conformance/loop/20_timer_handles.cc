// Call_later/call_at return handles with when(), cancel(), cancelled(); a
// cancelled timer never runs and does not keep run_forever's order off.
// The program of 20_timer_handles.py, which prints 20_timer_handles.expected.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Future<std::string> done = create_future<std::string>();
  auto say = [](const char* text) { print(text); };
  const TimePoint t0 = loop.time();
  TimerHandle a = loop.call_later(20ms, say, "a");
  TimerHandle b = loop.call_at(t0 + 40ms, say, "b");
  TimerHandle c = loop.call_later(60ms, [done] { done.set_result("c"); });
  print("when ordered", a.when() < b.when() && b.when() < c.when(),
        b.when() == t0 + 40ms);
  b.cancel();
  print("cancelled", a.cancelled(), b.cancelled());
  print(co_await done);
  print("time advanced", loop.time() >= c.when());
  std::vector<TimerHandle> hs;
  for (int i = 0; i < 300; ++i) {
    hs.push_back(loop.call_later(20ms, say, "never"));
  }
  for (const TimerHandle& h : hs) h.cancel();
  co_await sleep(40ms);
  print("none of 300 cancelled timers ran");
}

}  // namespace

int main() { run(amain()); }
