#include "asyncio/subprocess/internal/child.h"

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <signal.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/subprocess/internal/spawn.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/subprocess/subprocess_test_util.h"

namespace asyncio::internal {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

SpawnRequest shell(std::string script) {
  SpawnRequest request;
  request.argv = {"sh", "-c", std::move(script)};
  return request;
}

Ref<Child> start(const SpawnRequest& request) {
  return Child::start(get_running_loop(), request);
}
Ref<Child> start(std::string script) { return start(shell(std::move(script))); }

ExitRequest end_of(const Ref<Child>& child) { return ExitRequest(child); }

// Until the process `pid`, no child of ours, has ended.
bool ends_soon(pid_t pid) {
  const FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() < 0) return true;
  pollfd ended{pidfd.get(), POLLIN, 0};
  return poll(&ended, 1, 20'000) == 1;
}

// Starts `script`, which writes numbers of processes in one line, and gives
// them.
Ref<Child> start_and_read(SpawnRequest request, std::vector<pid_t>& pids) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  request.std_fds[1] = in.get();
  Ref<Child> child = start(request);
  in.reset();
  std::string line;
  char c;
  while (read(out.get(), &c, 1) == 1 && c != '\n') line += c;
  const char* text = line.c_str();
  char* end;
  for (long pid; (pid = std::strtol(text, &end, 10)) > 0; text = end) {
    pids.push_back(static_cast<pid_t>(pid));
  }
  return child;
}

ASYNCIO_TEST(ChildTest, EndsWithItsExitCode) {
  Ref<Child> child = start("exit 42");
  EXPECT_FALSE(child->returncode());
  EXPECT_EQ(co_await end_of(child), 42);
  EXPECT_EQ(child->returncode(), 42);
  EXPECT_EQ(co_await end_of(child), 42);  // at once
}

ASYNCIO_TEST(ChildTest, EndsWithTheNegativeSignal) {
  Ref<Child> child = start("exec sleep 100");
  child->send_signal(SIGUSR1);
  EXPECT_EQ(co_await end_of(child), -SIGUSR1);
}

ASYNCIO_TEST(ChildTest, WakesWhoWaitsInTheOrderInWhichTheyCame) {
  Ref<Child> child = start("exec sleep 100");
  std::string log;
  auto note = [&](char name) -> Coroutine<> {
    co_await end_of(child);
    log += name;
  };
  auto a = create_task(note('a'));
  auto b = create_task(note('b'));
  auto c = create_task(note('c'));
  co_await sleep(0s);
  b.cancel();
  child->send_signal(SIGKILL);
  co_await a;
  co_await c;
  EXPECT_EQ(log, "ac");
}

ASYNCIO_TEST(ChildTest, SignalAfterItsEndIsProcessLookupError) {
  Ref<Child> child = start("exit 0");
  co_await end_of(child);
  try {
    child->send_signal(SIGTERM);
    ADD_FAILURE() << "sent";
  } catch (const ProcessLookupError& e) {
    EXPECT_EQ(e.what(), "[Errno 3] signal 15 to process " +
                            std::to_string(child->pid()) + ": No such process");
  }
  EXPECT_THROW(child->kill_tree(), ProcessLookupError);
}

ASYNCIO_TEST(ChildTest, SignalAfterAnEndThatWasNotSeenIsLost) {
  Ref<Child> child = start("exit 3");
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child->pid()), &info, WEXITED | WNOWAIT);
  child->send_signal(SIGKILL);
  child->kill_tree();
  EXPECT_EQ(co_await end_of(child), 3);
}

ASYNCIO_TEST(ChildTest, SignalThatDoesNotExistIsRefused) {
  Ref<Child> child = start("exec sleep 100");
  EXPECT_THROW(child->send_signal(1000), OSError);
  child->abandon();
  EXPECT_EQ(co_await end_of(child), -SIGKILL);
}

ASYNCIO_TEST(ChildTest, KillTreeKillsDescendants) {
  std::vector<pid_t> pids;
  Ref<Child> child = start_and_read(
      shell("sh -c 'sleep 100 & echo $$ $!; wait' & sleep 100 & wait"), pids);
  CO_ASSERT_EQ(pids.size(), 2U);
  child->kill_tree();
  EXPECT_EQ(co_await end_of(child), -SIGKILL);
  EXPECT_TRUE(ends_soon(pids[0]));
  EXPECT_TRUE(ends_soon(pids[1]));
}

ASYNCIO_TEST(ChildTest, KillTreeKillsTheGroupThatTheChildLeads) {
  // The subshell is gone by then: its child is nobody's descendant.
  SpawnRequest request = shell("(sleep 100 & echo $!); exec sleep 100");
  request.process_group = 0;
  std::vector<pid_t> pids;
  Ref<Child> child = start_and_read(std::move(request), pids);
  CO_ASSERT_EQ(pids.size(), 1U);
  child->kill_tree();
  EXPECT_EQ(co_await end_of(child), -SIGKILL);
  EXPECT_TRUE(ends_soon(pids[0]));
}

ASYNCIO_TEST(ChildTest, StatusTakenBySomebodyElseIs255) {
  Ref<Child> child = start("exit 3");
  int status;
  EXPECT_EQ(waitpid(child->pid(), &status, 0), child->pid());
  EXPECT_EQ(co_await end_of(child), 255);
  const std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].message,
            "child process pid " + std::to_string(child->pid()) +
                " exit status already read:  will report returncode 255");
}

ASYNCIO_TEST(ChildTest, IgnoredChildSignalGives255) {
  auto* const before = signal(SIGCHLD, SIG_IGN);
  Ref<Child> child = start("exit 3");
  EXPECT_EQ(co_await end_of(child), 255);
  SpawnRequest missing;
  missing.argv = {"/no/such/program"};
  EXPECT_THROW(start(missing), FileNotFoundError);
  signal(SIGCHLD, before);
  EXPECT_EQ(take_reports().size(), 1U);
}

TEST(ChildLoopTest, WaitMayBeCancelledAtAnyMoment) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Ref<Child> child = start("exec sleep 100");
    scene.start([child]() -> Coroutine<> { co_await end_of(child); });
    co_await sleep(1s);
    child->send_signal(SIGTERM);
    // The scene's clock waits for no process.
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(child->pid()), &info, WEXITED | WNOWAIT);
    co_await sleep(1s);
    EXPECT_EQ(child->returncode(), -SIGTERM);
    static_cast<void>(co_await scene.ended());
  });
  EXPECT_FALSE(has_children());
}

TEST(ChildLoopTest, AbandonedIsReapedByTheLoop) {
  run([]() -> Coroutine<> {
    Ref<Child> child = start("exec sleep 100");
    Ref<Child> other = start("exec sleep 100");
    child->abandon();
    child = nullptr;
    other->abandon();
    co_await end_of(other);
    while (has_children()) co_await sleep(1ms);
  });
}

TEST(ChildLoopTest, ClosedLoopLeavesNoZombie) {
  const int before = descriptors_between_loops();
  Ref<Child> child;
  run([&]() -> Coroutine<> {
    child = start("exec sleep 100");
    start("exec sleep 100");
    start("exit 0");
    co_return;
  });
  EXPECT_FALSE(has_children());
  EXPECT_EQ(child->returncode(), -SIGKILL);
  EXPECT_THROW(child->send_signal(SIGTERM), ProcessLookupError);
  EXPECT_EQ(run([&]() -> Coroutine<int> { co_return co_await end_of(child); }),
            -SIGKILL);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(ChildLoopTest, DestroyedLoopLeavesNoZombie) {
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  Task<> waiting = create_task(*loop, []() -> Coroutine<> {
    Ref<Child> child = start("exec sleep 100");
    co_await end_of(child);
  });
  run_until_complete(*loop, sleep(0s));
  EXPECT_TRUE(has_children());
  loop.reset();
  EXPECT_FALSE(waiting.done());
  EXPECT_FALSE(has_children());
}

TEST(ChildLoopTest, StartsNothingOnAClosedLoop) {
  auto loop = new_event_loop();
  loop->close();
  EXPECT_THROW(Child::start(*loop, shell("exit 0")), RuntimeError);
  EXPECT_FALSE(has_children());
}

TEST(ChildLoopTest, BelongsToItsLoop) {
  auto loop = new_event_loop();
  Ref<Child> child = Child::start(*loop, shell("exec sleep 100"));
  try {
    run([&]() -> Coroutine<> { co_await end_of(child); });
    ADD_FAILURE() << "waited";
  } catch (const RuntimeError& e) {
    EXPECT_THAT(e.what(), HasSubstr("is bound to a different event loop"));
  }
}

TEST(ChildLoopTest, LoopsOfSeveralThreadsKnowTheirOwn) {
  std::vector<int> sums(4);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t, &sum = sums[t]] {
        run([&]() -> Coroutine<> {
          std::vector<Ref<Child>> children;
          for (int i = 0; i < 10; ++i) {
            children.push_back(start("exit " + std::to_string(t * 10 + i)));
          }
          for (const auto& child : children) sum += co_await end_of(child);
        });
      });
    }
  }
  EXPECT_THAT(sums, testing::ElementsAre(45, 145, 245, 345));
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace asyncio::internal
