// run() joins the default executor's threads at the end; after
// shutdown_default_executor() run_in_executor(nullptr, ...) throws
// RuntimeError.
// The program of 09_shutdown_default_executor.py, which prints
// 09_shutdown_default_executor.expected.

#include <chrono>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::mutex mutex;
std::vector<std::string> log_lines;  // guarded by mutex
std::latch release(1);

void slow() {
  release.wait();
  std::this_thread::sleep_for(20ms);
  std::lock_guard lock(mutex);
  log_lines.push_back("slow finished");
}

size_t finished() {
  std::lock_guard lock(mutex);
  return log_lines.size();
}

Coroutine<> amain() {
  run_in_executor(nullptr, slow);
  co_await sleep(0s);
  print("main returns, finished", finished() > 0);
  release.count_down();
}

Coroutine<> amain2() {
  print(co_await run_in_executor(nullptr, [] { return "ok"; }));
  co_await shutdown_default_executor();
  try {
    co_await run_in_executor(nullptr, slow);
  } catch (const RuntimeError& e) {
    print("RuntimeError", e.what());
  }
}

}  // namespace

int main() {
  run(amain());
  for (const std::string& line : log_lines) print(line);
  run(amain2());
}
