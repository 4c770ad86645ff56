// Current_task is the running task through nested awaits, differs between
// tasks and is None in plain callbacks.
// The program of 13_current_task.py, which prints 13_current_task.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> inner() {
  co_await sleep(0s);
  co_return current_task().get_name();
}

Coroutine<> outer() {
  const AnyTask before = current_task();
  const std::string name = co_await inner();
  print(name, "same across awaits", current_task() == before);
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  const AnyTask main_task = current_task();
  main_task.set_name("main");
  Task<> a = create_task(outer(), {.name = "A"});
  Task<> b = create_task(outer(), {.name = "B"});
  loop.call_soon([] { print("in callback", !current_task()); });
  co_await a;
  co_await b;
  print(co_await inner());
  print("still main", current_task() == main_task);
}

}  // namespace

int main() { run(amain()); }
