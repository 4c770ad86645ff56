// Starts /bin/true and waits for it, COUNT times, AT_ONCE at a time; prints the
// nanoseconds that one takes, by the clock.
//
//   processes COUNT [AT_ONCE]
//
// benchmarks/peers/process_run compares it with the peers' programs, which do
// the same.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "asyncio/subprocess/process.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

Coroutine<> run_some(int count) {
  for (int i = 0; i < count; ++i) {
    Process process = co_await create_subprocess_exec("/bin/true");
    const int code = co_await process.wait();
    if (code != 0) std::abort();
  }
}

Coroutine<> run_all(int count, int at_once) {
  std::vector<Coroutine<>> workers;
  for (int i = 0; i < at_once; ++i)
    workers.push_back(run_some(count / at_once));
  co_await gather(std::move(workers));
}

}  // namespace
}  // namespace asyncio

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int at_once = argc > 2 ? std::atoi(argv[2]) : 1;
  const auto start = std::chrono::steady_clock::now();
  asyncio::run(asyncio::run_all(count, at_once));
  const std::chrono::duration<double, std::nano> taken =
      std::chrono::steady_clock::now() - start;
  std::printf("ns=%.0f\n", taken.count() / count);
}
