// Exponentially spawning children are all stopped by one failure; exactly one
// error is reported.
// The twin of 17_hydra.py.

#include <chrono>
#include <stdexcept>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class ZeroDivisionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Count {
  int heads = 0;
  int alive = 0;
};

Coroutine<> hydra(TaskGroup& tg, Count& count) {
  ++count.heads;
  ++count.alive;
  co_await try_finally(
      [&]() -> Coroutine<> {
        co_await sleep(5ms);
        tg.create_task(hydra(tg, count));
        tg.create_task(hydra(tg, count));
      },
      [&] { --count.alive; });
}

Coroutine<> hercules(Count& count) {
  while (count.heads < 10) co_await sleep(5ms);
  throw ZeroDivisionError("slain");
}

Coroutine<> amain() {
  Count count;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) {
      tg.create_task(hydra(tg, count));
      tg.create_task(hercules(count));
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.exceptions().size(), exception_name(eg.exceptions()[0]));
  }
  print("at least ten", count.heads >= 10, "alive", count.alive);
}

}  // namespace

int main() { run(amain()); }
