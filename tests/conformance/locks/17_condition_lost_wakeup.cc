// A notified waiter that gets cancelled passes the notification to the next
// waiter.
// The twin of 17_condition_lost_wakeup.py.

#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> consumer(Condition& cond, std::vector<std::string>& items,
                     std::string name) {
  co_await with(cond, [&]() -> Coroutine<> {
    co_await cond.wait_for([&] { return !items.empty(); });
    print(name, "consumes", items.back());
    items.pop_back();
  });
}

Coroutine<> amain() {
  for (std::string when : {"before wake-up", "while re-acquiring"}) {
    Condition cond;
    std::vector<std::string> items;
    auto a = create_task(consumer(cond, items, "a"));
    auto b = create_task(consumer(cond, items, "b"));
    co_await sleep(0s);
    co_await cond.acquire();
    items.push_back(when);
    cond.notify(1);
    if (when == "while re-acquiring") co_await sleep(0s);
    a.cancel();
    cond.release();
    co_await wait({a, b}, {.timeout = 100ms});
    print("a cancelled", a.cancelled(), "b done", b.done(), "items",
          items.size());
    b.cancel();
    co_await wait({b});
  }
}

}  // namespace

int main() { run(amain()); }
