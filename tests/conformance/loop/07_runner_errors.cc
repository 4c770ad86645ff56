// A closed Runner refuses run/get_loop/with; close is idempotent; an exception
// from run leaves the Runner usable.
// The program of 07_runner_errors.py, which prints 07_runner_errors.expected.

#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<std::string> f(std::string v) { co_return v; }

Coroutine<> bad() {
  throw ValueError("bad");
  co_return;
}

}  // namespace

int main() {
  Runner runner;
  try {
    runner.run(bad());
  } catch (const ValueError& e) {
    print(e.what());
  }
  print(runner.run(f("usable")));
  runner.close();
  runner.close();
  try {
    runner.get_loop();
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  // Python's second `with`: what it would do is run.
  try {
    runner.run(f("entered"));
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  Runner r2;
  EventLoop& loop = r2.get_loop();
  r2.close();
  print("closed", loop.is_closed());
}
