// Awaiting a future that belongs to another loop raises RuntimeError in the
// task instead of hanging; gather of futures of two loops is ValueError.
// The program of 25_foreign_loop_future.py, which prints
// 25_foreign_loop_future.expected.

#include <memory>
#include <string>
#include <string_view>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<std::string> waits(Future<> fut) {
  try {
    co_await fut;
  } catch (const RuntimeError& e) {
    print("RuntimeError",
          std::string_view(e.what()).ends_with("attached to a different loop"));
  }
  co_return "recovered";
}

Coroutine<> amain(EventLoop& other) {
  Future<> fut = create_future<>(other);
  print(co_await create_task(waits(fut)));
  Future<> mine = create_future<>();
  try {
    gather(mine, fut);
  } catch (const ValueError&) {
    print("ValueError");
  }
  fut.cancel();
  mine.cancel();
}

}  // namespace

int main() {
  std::unique_ptr<EventLoop> other = new_event_loop();
  run(amain(*other));
  other->close();
}
