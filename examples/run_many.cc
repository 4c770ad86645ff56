// A hundred programs, at most eight at a time.
//
//   bazel run //examples:run_many
//   bazel run //examples:run_many -- --seconds=1       # each takes a second
//
// What is seen: one line that shows how far it is; at the end how many ran at
// once. Ctrl-C stops it: the main coroutine is cancelled, and with it the group
// of its tasks; each task drops its Process, which kills the program. None is
// left.
#include <algorithm>
#include <iostream>
#include <string>

#include "asyncio/asyncio.h"

using asyncio::Coroutine;
using asyncio::Process;
using asyncio::Semaphore;
using asyncio::TaskGroup;

constexpr int kJobs = 100;
constexpr int kAtOnce = 8;

// How far it is.
class Progress {
 public:
  void job_started() {
    most_ = std::max(most_, ++running_);
    show();
  }
  void job_ended() {
    --running_;
    ++done_;
    show();
  }
  int done() const { return done_; }
  int most() const { return most_; }

 private:
  // The line is written over and over.
  void show() const {
    std::cerr << "\r" << done_ << " of " << kJobs << " done, " << running_
              << " running " << std::flush;
  }

  int running_ = 0;
  int done_ = 0;
  int most_ = 0;
};

Coroutine<> run_job(const std::string& seconds, Semaphore& slots,
                    Progress& progress) {
  auto slot = co_await slots.scoped_acquire();
  Process job = co_await asyncio::create_subprocess_exec({"sleep", seconds});
  progress.job_started();
  co_await job.wait();
  progress.job_ended();
}

Coroutine<> run_all(const std::string& seconds, Progress& progress) {
  Semaphore slots(kAtOnce);
  auto start_all = [&](TaskGroup& group) {
    for (int i = 0; i < kJobs; ++i) {
      group.create_task(run_job(seconds, slots, progress));
    }
  };
  co_await asyncio::with(TaskGroup(), start_all);
}

int main(int argc, char** argv) {
  std::string seconds = "0.02";
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag.starts_with("--seconds=")) seconds = flag.substr(10);
  }
  Progress progress;
  try {
    asyncio::run(run_all(seconds, progress));
  } catch (const asyncio::KeyboardInterrupt&) {
    std::cout << "\nstopped: " << progress.done() << " of " << kJobs << " done"
              << std::endl;
    return 130;
  }
  std::cout << "\n"
            << progress.done() << " done, at most " << progress.most()
            << " at a time" << std::endl;
}
