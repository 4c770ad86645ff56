// run() closes generators that are still suspended (shutdown_asyncgens): their
// cleanup runs, with awaits.
// The program of 08_run_closes_generators.py, which prints
// 08_run_closes_generators.expected.

#include <chrono>
#include <exception>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::vector<AsyncGenerator<std::string>> keep;

AsyncGenerator<std::string> gen(std::string name) {
  std::exception_ptr exit;
  try {
    co_yield name;
    co_yield "never";
  } catch (...) {
    exit = std::current_exception();
  }
  co_await sleep(0s);
  print("closed", name);
  if (exit) std::rethrow_exception(exit);
}

Coroutine<std::string> amain() {
  keep.push_back(gen("suspended"));
  while (auto v = co_await keep.back().next()) {
    print("got", *v);
    break;
  }
  keep.push_back(gen("exhausted"));
  int items = 0;
  while (auto v = co_await keep.back().next()) ++items;
  print("items", items);
  keep.push_back(gen("never started"));
  print("main returns");
  co_return "value";
}

}  // namespace

int main() { print(run(amain())); }
