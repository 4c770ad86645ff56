// Create_task copies the context at creation time: later changes in the parent
// are not seen, changes in the child do not leak back.
// The program of 01_task_copies_context.py, which prints
// 01_task_copies_context.expected.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<std::string> var("var", "default");

Coroutine<> child(std::string name) {
  print(name, "starts with", var.get());
  var.set("set by " + name);
  co_await sleep(0s);
  print(name, "still", var.get());
}

Coroutine<> amain() {
  print("main", var.get());
  Task<> a = create_task(child("a"));
  var.set("from main");
  Task<> b = create_task(child("b"));
  var.set("later");
  co_await a;
  co_await b;
  print("main", var.get());
}

}  // namespace

int main() { run(amain()); }
