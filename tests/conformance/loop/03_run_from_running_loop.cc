// Asyncio.run and Runner.run inside a running loop raise RuntimeError.
// The program of 03_run_from_running_loop.py, which prints
// 03_run_from_running_loop.expected.

#include <chrono>
#include <string>
#include <utility>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> inner() {
  print("must not run");
  co_return;
}

Coroutine<std::string> amain(Runner& runner) {
  Coroutine<> c = inner();
  try {
    run(std::move(c));
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  try {
    runner.run(std::move(c));
  } catch (const RuntimeError& e) {
    print(e.what());
  }
  c.close();
  co_await sleep(0s);
  co_return "outer fine";
}

}  // namespace

int main() {
  Runner runner;
  print(runner.run(amain(runner)));
}
