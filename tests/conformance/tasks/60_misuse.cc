// The errors and texts of misuse: scopes entered twice, groups used too early and
// too late, tasks resolved from outside, loops run inside loops.
// The twin of 60_misuse.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> three() { co_return 3; }

// A group's description in it is "G".
template <class F>
void text(F call) {
  try {
    call();
  } catch (const RuntimeError& e) {
    std::string text = e.what();
    const size_t from = text.find('<');
    if (from != std::string::npos) {
      text.replace(from, text.rfind('>') + 1 - from, "G");
    }
    print(text);
  }
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  Timeout scope = timeout(1s);
  text([&] { scope.reschedule(loop.time()); });
  auto again = [&] { text([&] { scope.enter(); }); };
  co_await with(scope, again);
  text([&] { scope.reschedule(loop.time()); });
  Timeout expired = timeout(0s);
  auto late = [] { return sleep(1s); };
  try {
    co_await with(expired, late);
  } catch (const TimeoutError&) {
    text([&] { expired.reschedule(loop.time()); });
  }

  TaskGroup group;
  auto nothing = [] {};
  text([&] { group.create_task(three()); });
  co_await with(group, nothing);
  text([&] { group.create_task(three()); });
  Result<> entered = co_await as_result(with(group, nothing));
  text([&] { entered.rethrow(); });

  Coroutine<int> coroutine = three();
  print(co_await coroutine);
  try {
    co_await coroutine;
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  Task<int> task = create_task(three());
  const Future<int> future = task;
  for (int i = 0; i < 2; ++i) {
    text([&] { future.set_result(1); });
    text([&] { future.set_exception(ValueError("")); });
    co_await task;
  }
  const bool cancelled = task.cancel();
  print(cancelled, task.cancelling(), current_task().uncancel());

  text([] { run(amain()); });
  Runner runner;
  text([&] { runner.run(amain()); });
  text([&] { run_until_complete(loop, amain()); });
}

}  // namespace

int main() {
  run(amain());
  text([] { get_running_loop(); });
  text([] { current_task(); });
  text([] { all_tasks(); });
}
