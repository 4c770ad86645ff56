#include "asyncio/subprocess/process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/subprocess/argv.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/subprocess/subprocess_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

static_assert(std::is_trivially_copyable_v<SubprocessOptions>);
static_assert(std::is_aggregate_v<SubprocessOptions>);
static_assert(!std::is_copy_constructible_v<Process>);

Coroutine<std::string> output_of(Argv argv, SubprocessOptions options = {}) {
  options.std_out = PIPE;
  Process process = co_await create_subprocess_exec(std::move(argv), options);
  Output output = co_await process.communicate();
  co_return std::move(output.std_out);
}

// "ValueError: text", or "nothing".
Coroutine<std::string> refusal(Coroutine<Process> start) {
  const Result<Process> process = co_await as_result(std::move(start));
  if (process) co_return "nothing";
  co_return exception_name(process.exception()) + ": " +
      exception_message(process.exception());
}

ASYNCIO_TEST(ProcessTest, OthersHaveTheirTurnWhenAChildIsThere) {
  std::string log;
  auto start = [&](char name) -> Coroutine<> {
    log += name;
    Process process = co_await create_subprocess_exec("true");
    log += name;
    co_await process.wait();
  };
  co_await gather(start('a'), start('b'));
  EXPECT_EQ(log, "abab");
}

ASYNCIO_TEST(ProcessTest, CancelledWhenItIsThereTheChildIsKilled) {
  const int before = open_descriptors();
  Task<Process> starts =
      create_task(create_subprocess_exec({"sleep", "1000"}, {.std_out = PIPE}));
  co_await sleep(0s);
  EXPECT_GT(open_descriptors(), before);
  starts.cancel();
  const Result<Process> end = co_await as_result(std::move(starts));
  EXPECT_TRUE(end.cancelled());
  // The loop reaps it and closes what it watched it by.
  while (open_descriptors() > before) co_await sleep(1ms);
}

ASYNCIO_TEST(ProcessTest, RunsAProgramToItsEnd) {
  Process process = co_await create_subprocess_exec("true");
  EXPECT_GT(process.pid(), 0);
  EXPECT_FALSE(process.returncode());
  EXPECT_EQ(co_await process.wait(), 0);
  EXPECT_EQ(process.returncode(), 0);
}

ASYNCIO_TEST(ProcessTest, RunsAShellCommand) {
  Process process = co_await create_subprocess_shell("exit 7");
  EXPECT_EQ(co_await process.wait(), 7);
  process = co_await create_subprocess_shell(
      "echo $0", {.std_out = PIPE, .executable = "/bin/bash"});
  const Output output = co_await process.communicate();
  EXPECT_EQ(output.std_out, "/bin/bash\n");
}

ASYNCIO_TEST(ProcessTest, CopiesItsArgumentsAtTheCall) {
  Coroutine<Process> starting;
  {
    const std::map<std::string, std::string> env = {{"NAME", "value"}};
    const std::string folder = "/usr";
    const std::vector<std::string> words = {"/bin/sh", "-c", "pwd; echo $NAME"};
    starting = create_subprocess_exec(
        words, {.std_out = PIPE, .cwd = folder, .env = &env});
  }
  Process process = co_await std::move(starting);
  const Output output = co_await process.communicate();
  EXPECT_EQ(output.std_out, "/usr\nvalue\n");
}

ASYNCIO_TEST(ProcessTest, RunsNothingBeforeItIsAwaited) {
  {
    Coroutine<Process> starting = create_subprocess_exec("/no/such/program");
    starting.close();
  }
  Coroutine<Process> starting = create_subprocess_exec("sleep", {.limit = 0});
  EXPECT_FALSE(has_children());
  EXPECT_EQ(co_await refusal(std::move(starting)),
            "ValueError: Limit cannot be <= 0");
}

ASYNCIO_TEST(ProcessTest, EnvironmentMayBeAnyMap) {
  const std::unordered_map<std::string, const char*> env = {{"A", "1"}};
  EXPECT_EQ(
      co_await output_of({"/bin/sh", "-c", "echo $A$HOME"}, {.env = &env}),
      "1\n");
  const std::map<std::string, std::string> bad = {{"A=B", "1"}};
  EXPECT_EQ(co_await refusal(create_subprocess_exec("true", {.env = &bad})),
            "ValueError: illegal environment variable name");
}

ASYNCIO_TEST(ProcessTest, WhatCannotBePassedIsValueError) {
  const std::string zero("a\0b", 3);
  EXPECT_EQ(co_await refusal(create_subprocess_exec({"echo", zero})),
            "ValueError: embedded null byte");
  EXPECT_EQ(co_await refusal(create_subprocess_exec("true", {.cwd = zero})),
            "ValueError: embedded null byte");
  const std::vector<int> fds = {-1};
  EXPECT_EQ(co_await refusal(create_subprocess_exec("true", {.pass_fds = fds})),
            "ValueError: bad value(s) in pass_fds");
  EXPECT_EQ(
      co_await refusal(create_subprocess_exec("true", {.std_out = STDOUT})),
      "ValueError: STDOUT can only be used for std_err");
  EXPECT_EQ(co_await refusal(create_subprocess_exec("true", {.std_in = -9})),
            "ValueError: Invalid file descriptor: -9");
  EXPECT_EQ(
      co_await refusal(create_subprocess_exec(std::vector<std::string>())),
      "ValueError: no program is named");
  EXPECT_EQ(co_await refusal(create_subprocess_exec("true", {.user = -1})),
            "ValueError: User ID cannot be negative, got -1");
  EXPECT_EQ(co_await refusal(create_subprocess_exec(
                "true", {.group = std::string("no such group")})),
            "LookupError: getgrnam(): name not found: 'no such group'");
}

ASYNCIO_TEST(ProcessTest, NamesThatAreMissingAreInTheError) {
  EXPECT_THAT(co_await refusal(create_subprocess_exec("/no/such/program")),
              StartsWith("FileNotFoundError: [Errno 2] exec /no/such/program"));
  EXPECT_THAT(co_await refusal(create_subprocess_exec(
                  "true", {.std_in = PIPE, .std_out = PIPE, .cwd = "/no/dir"})),
              StartsWith("FileNotFoundError: [Errno 2] chdir to /no/dir"));
  EXPECT_THAT(
      co_await refusal(create_subprocess_exec("true", {.cwd = "/etc/passwd"})),
      StartsWith("NotADirectoryError: "));
  EXPECT_FALSE(has_children());
}

ASYNCIO_TEST(ProcessTest, NamesOfUsersAndGroupsAreLookedUp) {
  if (geteuid() != 0) co_return;
  Process process = co_await create_subprocess_exec(
      "true", {.user = "root", .group = "root"});
  EXPECT_EQ(co_await process.wait(), 0);
}

ASYNCIO_TEST(ProcessTest, StreamsOfADialogue) {
  Process process = co_await create_subprocess_shell(
      "while read x; do echo got $x; done; echo bye >&2; exit 2",
      {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
  EXPECT_TRUE(process.has_std_in());
  EXPECT_TRUE(process.has_std_out());
  EXPECT_TRUE(process.has_std_err());
  for (const std::string word : {"one", "two"}) {
    process.std_in().write(word + "\n");
    co_await process.std_in().drain();
    EXPECT_EQ(co_await process.std_out().readline(), "got " + word + "\n");
  }
  process.std_in().close();
  co_await process.std_in().wait_closed();
  EXPECT_EQ(co_await process.std_out().read(), "");
  EXPECT_EQ(co_await process.std_err().read(), "bye\n");
  EXPECT_EQ(co_await process.wait(), 2);
}

ASYNCIO_TEST(ProcessTest, StreamThatIsNoPipeIsRuntimeError) {
  Process process = co_await create_subprocess_exec("true");
  EXPECT_FALSE(process.has_std_in());
  try {
    process.std_out();
    ADD_FAILURE() << "a stream";
  } catch (const RuntimeError& e) {
    EXPECT_STREQ(e.what(),
                 "std_out of the process is no pipe: start it with {.std_out = "
                 "PIPE}");
  }
  EXPECT_THROW(process.std_in(), RuntimeError);
  EXPECT_THROW(process.std_err(), RuntimeError);
  co_await process.wait();
}

ASYNCIO_TEST(ProcessTest, StdErrMayGoWhereStdOutGoes) {
  Process process = co_await create_subprocess_shell(
      "echo 1; echo 2 >&2; echo 3", {.std_out = PIPE, .std_err = STDOUT});
  EXPECT_FALSE(process.has_std_err());
  auto [out, err] = co_await process.communicate();
  EXPECT_EQ(out, "1\n2\n3\n");
  EXPECT_EQ(err, "");
}

ASYNCIO_TEST(ProcessTest, NullDeviceAndDescriptors) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Process process = co_await create_subprocess_shell(
      "cat; echo out; echo err >&2",
      {.std_in = DEVNULL, .std_out = ends[1], .std_err = DEVNULL});
  close(ends[1]);
  EXPECT_EQ(co_await process.wait(), 0);
  char text[16];
  EXPECT_EQ(read(ends[0], text, sizeof text), 4);
  EXPECT_EQ(read(ends[0], text, sizeof text), 0);
  close(ends[0]);
}

ASYNCIO_TEST(ProcessTest, PipesMayHaveTheNumbersOfStandardDescriptors) {
  const int input = dup(0), error = dup(2);
  close(0);
  close(2);
  Process process = co_await create_subprocess_shell(
      "cat; echo err >&2", {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
  const Output output = co_await process.communicate("in");
  co_await sleep(1s);  // the pipes are closed
  dup2(input, 0);
  dup2(error, 2);
  close(input);
  close(error);
  EXPECT_EQ(output.std_out, "in");
  EXPECT_EQ(output.std_err, "err\n");
}

ASYNCIO_TEST(ProcessTest, PassesDescriptors) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::vector<int> fds = {ends[1]};
  Process process = co_await create_subprocess_shell(
      "echo through >&" + std::to_string(ends[1]), {.pass_fds = fds});
  close(ends[1]);
  EXPECT_EQ(co_await process.wait(), 0);
  char text[16];
  EXPECT_EQ(read(ends[0], text, sizeof text), 8);
  close(ends[0]);
}

ASYNCIO_TEST(ProcessTest, CommunicateFeedsAndDrainsAtTheSameTime) {
  // More than all the buffers between: done in turns it would hang.
  const std::string input(4 << 20, 'x');
  Process process = co_await create_subprocess_shell(
      "tee /dev/stderr", {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
  const Output output = co_await process.communicate(input);
  EXPECT_EQ(output.std_out.size(), input.size());
  EXPECT_EQ(output.std_err.size(), input.size());
  EXPECT_EQ(process.returncode(), 0);
}

ASYNCIO_TEST(ProcessTest, CommunicateClosesStdInWithoutInput) {
  Process process =
      co_await create_subprocess_exec("cat", {.std_in = PIPE, .std_out = PIPE});
  const Output output = co_await process.communicate();
  EXPECT_EQ(output.std_out, "");
  EXPECT_EQ(process.returncode(), 0);
}

ASYNCIO_TEST(ProcessTest, CommunicateIgnoresABrokenPipe) {
  Process process = co_await create_subprocess_exec("true", {.std_in = PIPE});
  co_await process.communicate(std::string(1 << 20, 'x'));
  EXPECT_EQ(process.returncode(), 0);
}

ASYNCIO_TEST(ProcessTest, CommunicateWithoutPipesWaits) {
  Process process = co_await create_subprocess_shell("exit 4");
  const Output output = co_await process.communicate("lost");
  EXPECT_EQ(output.std_out + output.std_err, "");
  EXPECT_EQ(process.returncode(), 4);
}

ASYNCIO_TEST(ProcessTest, CommunicateStopsAtItsLimit) {
  Process process =
      co_await create_subprocess_exec("yes", {.std_in = PIPE, .std_out = PIPE});
  const Result<Output> result =
      co_await as_result(process.communicate("", {.max_bytes = 100'000}));
  const auto* error = result.get_if<LimitOverrunError>();
  CO_ASSERT_TRUE(error != nullptr);
  EXPECT_EQ(error->what(), "the output of process " +
                               std::to_string(process.pid()) +
                               " is longer than 100000 bytes");
  EXPECT_GT(error->consumed(), 100'000U);
  EXPECT_FALSE(process.returncode());
  process.kill();
  // What was read before is not lost.
  const Output output = co_await process.communicate();
  EXPECT_GT(output.std_out.size(), 100'000U);
  EXPECT_EQ(process.returncode(), -SIGKILL);
}

ASYNCIO_TEST(ProcessTest, WaitMeansExitAlone) {
  // The sleeping grandchild has both pipes open.
  Process process = co_await create_subprocess_shell(
      "sleep 100 & echo $!; exit 3", {.std_out = PIPE, .std_err = PIPE});
  EXPECT_EQ(co_await process.wait(), 3);
  const std::string pid = co_await process.std_out().readline();
  kill(std::atoi(pid.c_str()), SIGKILL);
  EXPECT_EQ(co_await process.std_out().read(), "");
}

ASYNCIO_TEST(ProcessTest, SignalsEndIt) {
  Process process = co_await create_subprocess_exec({"sleep", "100"});
  process.terminate();
  EXPECT_EQ(co_await process.wait(), -SIGTERM);
  EXPECT_THROW(process.terminate(), ProcessLookupError);
  EXPECT_THROW(process.kill_tree(), ProcessLookupError);
  process = co_await create_subprocess_exec({"sleep", "100"});
  process.kill();
  process.kill();
  EXPECT_EQ(co_await process.wait(), -SIGKILL);
}

ASYNCIO_TEST(ProcessTest, KillTreeReachesWhatAShellStarted) {
  Process process = co_await create_subprocess_shell(
      "sleep 100 & sleep 100 & echo ready; wait", {.std_out = PIPE});
  co_await process.std_out().readline();
  process.kill_tree();
  // The pipe ends when the last of them is gone.
  EXPECT_EQ(co_await process.std_out().read(), "");
  EXPECT_EQ(co_await process.wait(), -SIGKILL);
}

ASYNCIO_TEST(ProcessTest, DroppedProcessIsKilledAndReaped) {
  const int before = open_descriptors();
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Task<int> waiting;
  Task<Output> communicating;
  {
    Process process = co_await create_subprocess_exec(
        {"sleep", "100"},
        {.std_in = PIPE, .std_out = PIPE, .std_err = ends[1]});
    waiting = create_task(process.wait());
    communicating = create_task(process.communicate("hello"));
    co_await sleep(0s);
  }
  EXPECT_EQ(co_await waiting, -SIGKILL);
  EXPECT_EQ((co_await communicating).std_out, "");
  EXPECT_FALSE(has_children());
  close(ends[0]);
  close(ends[1]);
  co_await sleep(0s);
  EXPECT_EQ(open_descriptors(), before);
}

ASYNCIO_TEST(ProcessTest, AssignmentKillsTheOneBefore) {
  Process process = co_await create_subprocess_exec({"sleep", "100"});
  Task<int> waiting = create_task(process.wait());
  process = co_await create_subprocess_exec("true");
  EXPECT_EQ(co_await waiting, -SIGKILL);
  Process other = std::move(process);
  EXPECT_FALSE(process);
  EXPECT_EQ(co_await other.wait(), 0);
}

// What runs on the system's clock: a virtual one waits for no process.
TEST(ProcessTimeTest, WaitAndCommunicateMayBeCancelled) {
  run([]() -> Coroutine<> {
    Process process = co_await create_subprocess_shell(
        "echo early; echo late >&2; exec sleep 100",
        {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
    const Result<int> waited =
        co_await as_result(wait_for(process.wait(), 5ms));
    EXPECT_NE(waited.get_if<TimeoutError>(), nullptr);
    EXPECT_FALSE(process.returncode());
    Task<Output> cancelled = create_task(process.communicate("input"));
    while (!process.std_in().is_closing()) co_await sleep(1ms);
    cancelled.cancel();
    const Result<Output> end = co_await as_result(cancelled);
    EXPECT_TRUE(end.cancelled());
    process.kill();
    const Output output = co_await process.communicate();
    EXPECT_EQ(output.std_out, "early\n");
    EXPECT_EQ(output.std_err, "late\n");
  });
}

TEST(ProcessTimeTest, CommunicateHasATimeout) {
  run([]() -> Coroutine<> {
    Process process = co_await create_subprocess_exec(
        {"sleep", "100"}, {.std_out = PIPE, .std_err = PIPE});
    const Result<Output> result =
        co_await as_result(process.communicate("", {.timeout = 10ms}));
    EXPECT_NE(result.get_if<TimeoutError>(), nullptr);
    EXPECT_FALSE(process.returncode());
  });
  EXPECT_FALSE(has_children());
}

TEST(ProcessTimeTest, StartMayBeCancelledAtAnyMoment) {
  const int before = descriptors_between_loops();
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    scene.start([]() -> Coroutine<> {
      Process process = co_await create_subprocess_exec(
          {"sleep", "100"}, {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
      co_await sleep(1s);
    });
    const auto end = co_await scene.ended();
    EXPECT_TRUE(end || end.cancelled());
  });
  EXPECT_FALSE(has_children());
  EXPECT_EQ(open_descriptors(), before);
}

// Of a program that has ended: all there is to wait for has come already.
Coroutine<Process> ended_process() {
  Process process = co_await create_subprocess_shell(
      "echo out; echo err >&2; exit 3",
      {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE});
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
  co_return process;
}

TEST(ProcessTimeTest, CommunicateLosesNothingToACancellation) {
  const int rounds = cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    // Descriptors alone do not move a scene.
    auto tick = []() -> Coroutine<> {
      while (true) co_await sleep(1ms);
    };
    Task<> ticker = create_task(tick);
    auto process = std::make_shared<Process>(co_await ended_process());
    auto output = std::make_shared<Output>();
    scene.start([process, output]() -> Coroutine<> {
      *output = co_await process->communicate("input");
    });
    const auto end = co_await scene.ended();
    EXPECT_TRUE(end || end.cancelled());
    const Output rest = co_await process->communicate();
    EXPECT_EQ(output->std_out + rest.std_out, "out\n");
    EXPECT_EQ(output->std_err + rest.std_err, "err\n");
    EXPECT_EQ(process->returncode(), 3);
    ticker.cancel();
    const auto ticked = co_await as_result(ticker);
    EXPECT_TRUE(ticked.cancelled());
  });
  EXPECT_GT(rounds, 3);
  EXPECT_FALSE(has_children());
}

TEST(ProcessTimeTest, RunLeavesNoChildOfTasksThatItCancels) {
  run([]() -> Coroutine<> {
    auto hold = []() -> Coroutine<> {
      Process process = co_await create_subprocess_exec({"sleep", "100"});
      co_await process.wait();
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(create_task(hold));
    co_await sleep(0s);
    EXPECT_TRUE(has_children());
  });
  EXPECT_FALSE(has_children());
}

TEST(ProcessTimeTest, PipesBelongToTheirLoop) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  const Process process = run_until_complete(
      *loop,
      create_subprocess_exec({"cat"}, {.std_in = PIPE, .std_out = PIPE}));
  run([&]() -> Coroutine<> {
    const Result<std::string> read =
        co_await as_result(wait_for(process.std_out().read(1), 5s));
    EXPECT_THAT(exception_message(read.exception()),
                HasSubstr("is bound to a different event loop"));
    const Result<Output> all =
        co_await as_result(wait_for(process.communicate(), 5s));
    EXPECT_THAT(exception_message(all.exception()),
                HasSubstr("is bound to a different event loop"));
  });
}

TEST(ProcessTimeTest, LoopsOfSeveralThreads) {
  std::vector<std::string> outputs(4);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t, &text = outputs[t]] {
        run([&]() -> Coroutine<> {
          std::vector<Coroutine<std::string>> all;
          for (int i = 0; i < 5; ++i) {
            all.push_back(output_of({"echo", std::to_string(t)}));
          }
          for (const auto& line : co_await gather(std::move(all))) text += line;
        });
      });
    }
  }
  for (int t = 0; t < 4; ++t) {
    const std::string line = std::to_string(t) + "\n";
    EXPECT_EQ(outputs[t], line + line + line + line + line);
  }
}

}  // namespace
}  // namespace asyncio
