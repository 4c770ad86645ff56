// Call_soon, call_later and add_done_callback run in the context current when
// they were registered, or in an explicit one.
// The program of 03_callbacks_capture_context.py, which prints
// 03_callbacks_capture_context.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<std::string> var("var", "default");

void show(const std::string& label) {
  print(label, var.get());
  var.set("changed in " + label);
}

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  var.set("one");
  const Context ctx = copy_context();
  loop.call_soon(show, "soon");
  loop.call_later(20ms, show, "later");
  Future<> fut = create_future<>();
  fut.add_done_callback([] { show("done callback"); });
  var.set("two");
  loop.call_soon(show, "soon two");
  loop.call_soon({.context = &ctx}, [] { show("explicit"); });
  fut.add_done_callback([] { show("explicit callback"); }, {.context = &ctx});
  fut.set_result();
  co_await sleep(40ms);
  print("main", var.get());
  print("ctx", ctx.get(var));
}

}  // namespace

int main() { run(amain()); }
