// What a child costs: started and waited for by posix_spawn and waitpid alone,
// by us, with pipes, and from a process that is large.
//
//   bazel run -c opt //benchmarks/subprocess:process_benchmark
//
// Times are the clock's: most of each is the child's own. `allocations` are
// calls of operator new by child.

#include "asyncio/subprocess/process.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <spawn.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

constexpr size_t kMebibyte = 1 << 20;

// So many mebibytes that this process uses.
class Ballast {
 public:
  explicit Ballast(int64_t mebibytes)
      : size_(static_cast<size_t>(mebibytes) * kMebibyte) {
    if (size_ == 0) return;
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory_ == MAP_FAILED) std::abort();
  }
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;
  ~Ballast() {
    if (memory_ != nullptr) munmap(memory_, size_);
  }

 private:
  const size_t size_;
  void* memory_ = nullptr;
};

void wait_for(pid_t pid) {
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) std::abort();
}

// Baselines.
void BM_PosixSpawnAndWaitpid(benchmark::State& state) {
  const Ballast ballast(state.range(0));
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  for (auto _ : state) {
    pid_t pid;
    if (posix_spawn(&pid, name, nullptr, nullptr, argv, environ) != 0) {
      std::abort();
    }
    wait_for(pid);
  }
}
BENCHMARK(BM_PosixSpawnAndWaitpid)->ArgName("MiB")->Arg(0)->UseRealTime();

void BM_ForkExecAndWaitpid(benchmark::State& state) {
  const Ballast ballast(state.range(0));
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  for (auto _ : state) {
    const pid_t pid = fork();
    if (pid == 0) {
      execve(name, argv, environ);
      _exit(127);
    }
    wait_for(pid);
  }
}
BENCHMARK(BM_ForkExecAndWaitpid)
    ->ArgName("MiB")
    ->Arg(0)
    ->Arg(256)
    ->UseRealTime();

// Runs `once` in every iteration, in one task.
template <class F>
void measure(benchmark::State& state, F once) {
  run([&]() -> Coroutine<> {
    co_await once();
    const Allocations counted;
    for (auto _ : state) co_await once();
    counted.report(state, static_cast<int64_t>(state.iterations()));
  });
}

void BM_CreateSubprocessAndWait(benchmark::State& state) {
  const Ballast ballast(state.range(0));
  measure(state, []() -> Coroutine<> {
    Process process = co_await create_subprocess_exec("/bin/true");
    benchmark::DoNotOptimize(co_await process.wait());
  });
}
BENCHMARK(BM_CreateSubprocessAndWait)
    ->ArgName("MiB")
    ->Arg(0)
    ->Arg(256)
    ->UseRealTime();

void BM_Communicate(benchmark::State& state) {
  const std::string input(static_cast<size_t>(state.range(0)), 'x');
  measure(state, [&]() -> Coroutine<> {
    Process process = co_await create_subprocess_exec(
        "/bin/cat", {.std_in = PIPE, .std_out = PIPE});
    const Output output = co_await process.communicate(input);
    if (output.std_out.size() != input.size()) std::abort();
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          state.range(0));
}
BENCHMARK(BM_Communicate)
    ->ArgName("bytes")
    ->Arg(10)
    ->Arg(16 << 20)
    ->UseRealTime();

}  // namespace
}  // namespace asyncio
