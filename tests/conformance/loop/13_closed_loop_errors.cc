// Using a closed loop raises RuntimeError "Event loop is closed"; closing
// twice is fine; a running loop cannot be closed.
// The program of 13_closed_loop_errors.py, which prints
// 13_closed_loop_errors.expected.

#include <chrono>
#include <memory>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> try_close() {
  try {
    get_running_loop().close();
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  co_return;
}

}  // namespace

int main() {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  run_until_complete(*loop, try_close());
  Future<> f = create_future<>(*loop);
  loop->close();
  loop->close();
  print("closed", loop->is_closed());
  auto nothing = [] {};
  for (const std::string what :
       {"call_soon", "call_later", "call_at", "call_soon_threadsafe",
        "run_forever", "run_until_complete"}) {
    try {
      if (what == "call_soon") {
        loop->call_soon(nothing);
      } else if (what == "call_later") {
        loop->call_later(1s, nothing);
      } else if (what == "call_at") {
        loop->call_at(TimePoint() + 1s, nothing);
      } else if (what == "call_soon_threadsafe") {
        loop->call_soon_threadsafe(nothing);
      } else if (what == "run_forever") {
        loop->run_forever();
      } else {
        run_until_complete(*loop, f);
      }
      print(what, "accepted");
    } catch (const RuntimeError& e) {
      print(what, e.what());
    }
  }
}
