// Each thread can run its own loop; results cross with run_coroutine_threadsafe
// and wrap_future.
// The program of 10_loops_in_two_threads.py, which prints
// 10_loops_in_two_threads.expected.

#include <chrono>
#include <latch>
#include <memory>
#include <thread>
#include <utility>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::pair<int, bool>> square(int x, std::thread::id home) {
  co_await sleep(0s);
  co_return std::pair(x * x, std::this_thread::get_id() == home);
}

Coroutine<> amain() {
  std::unique_ptr<EventLoop> other = new_event_loop();
  std::latch ready(1);
  std::thread::id ident;
  auto runner = [&] {
    ident = std::this_thread::get_id();
    other->call_soon([&] { ready.count_down(); });
    other->run_forever();
    other->close();
  };
  std::thread th(runner);
  ready.wait();
  for (int x : {3, 4}) {
    auto cf = run_coroutine_threadsafe(square(x, ident), *other);
    auto [value, there] = co_await wrap_future(cf);
    print(value, "ran in other thread", there);
  }
  print("current loop unchanged", &get_running_loop() != other.get());
  other->call_soon_threadsafe([&] { other->stop(); });
  co_await to_thread([&] { th.join(); });
  print("closed", other->is_closed());
  try {
    other->call_soon_threadsafe([] { print("never"); });
  } catch (const RuntimeError& e) {
    print("RuntimeError", e.what());
  }
}

}  // namespace

int main() { run(amain()); }
