#include "asyncio/subprocess/internal/spawn.h"

#include <fcntl.h>
#include <fstream>
#include <limits>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/tests/subprocess/subprocess_test_util.h"

namespace asyncio::internal {
namespace {

using ::testing::HasSubstr;

SpawnRequest shell(std::string script) {
  SpawnRequest request;
  request.argv = {"sh", "-c", std::move(script)};
  return request;
}

// The exit code, or the negative signal.
int wait(const SpawnedChild& child) {
  siginfo_t info{};
  EXPECT_EQ(waitid(static_cast<idtype_t>(P_PIDFD),
                   static_cast<id_t>(child.pidfd.get()), &info, WEXITED),
            0);
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

int run(const SpawnRequest& request) { return wait(spawn(request)); }

// What it writes to its descriptor `number`, until its end.
std::string output(SpawnRequest request, int number = 1) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  request.std_fds[number] = in.get();
  const SpawnedChild child = spawn(request);
  in.reset();
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t size = read(out.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    text.append(buffer, static_cast<size_t>(size));
  }
  wait(child);
  return text;
}

template <class E>
std::string refusal(const SpawnRequest& request) {
  try {
    wait(spawn(request));
  } catch (const E& e) {
    return exception_name(e) + ": " + e.what();
  }
  return "started";
}

// Whether a change to another user can work at all.
bool can_change_user() {
  std::ifstream map("/proc/self/uid_map");
  unsigned long inside = 1, outside, count = 0;
  map >> inside >> outside >> count;
  return geteuid() == 0 && inside == 0 && count > 70'000;
}

TEST(SpawnTest, StartsAProgramOfThePath) {
  SpawnRequest request;
  request.argv = {"true"};
  EXPECT_EQ(run(request), 0);
  request.argv = {"/bin/sh", "-c", "exit $1", "name", "42"};
  EXPECT_EQ(run(request), 42);
  EXPECT_FALSE(has_children());
}

TEST(SpawnTest, SearchesThePathOfTheChildsEnvironment) {
  TemporaryFolder folder;
  folder.write("only_here", "#!/bin/sh\nexit 7\n", true);
  SpawnRequest request;
  request.argv = {"only_here"};
  EXPECT_THAT(refusal<FileNotFoundError>(request), HasSubstr("only_here"));
  request.env = std::vector<std::string>{"PATH=/nowhere:" + folder.path()};
  EXPECT_EQ(run(request), 7);
}

TEST(SpawnTest, WithoutAPathItLooksInBin) {
  SpawnRequest request = shell("exit 3");
  request.env.emplace();
  EXPECT_EQ(run(request), 3);
}

TEST(SpawnTest, ExecutableMayDifferFromTheFirstArgument) {
  SpawnRequest request;
  request.argv = {"login", "-c", "echo $0", "zero"};
  request.executable = "sh";
  EXPECT_EQ(output(request), "zero\n");
}

TEST(SpawnTest, EnvironmentIsTheGivenOneAlone) {
  setenv("ASYNCIO_SPAWN_TEST", "inherited", 1);
  EXPECT_EQ(output(shell("echo $ASYNCIO_SPAWN_TEST")), "inherited\n");
  SpawnRequest request = shell("echo $ASYNCIO_SPAWN_TEST $OTHER");
  request.env = std::vector<std::string>{"OTHER=other"};
  EXPECT_EQ(output(request), "other\n");
}

TEST(SpawnTest, MissingProgramIsNamed) {
  SpawnRequest request;
  request.argv = {"/no/such/program"};
  EXPECT_EQ(refusal<FileNotFoundError>(request),
            "FileNotFoundError: [Errno 2] exec /no/such/program: No such file "
            "or directory");
  request.argv = {"no_such_program"};
  EXPECT_EQ(refusal<FileNotFoundError>(request),
            "FileNotFoundError: [Errno 2] exec no_such_program: No such file "
            "or directory");
  EXPECT_FALSE(has_children());
}

TEST(SpawnTest, ProgramThatIsNotExecutableIsPermissionError) {
  TemporaryFolder folder;
  const std::string plain = folder.write("plain", "text", false);
  SpawnRequest request;
  request.argv = {plain};
  EXPECT_EQ(
      refusal<PermissionError>(request),
      "PermissionError: [Errno 13] exec " + plain + ": Permission denied");
  // Found, but not usable, tells more than not found.
  request.argv = {"plain"};
  request.env = std::vector<std::string>{"PATH=" + folder.path() + ":/nowhere"};
  EXPECT_THAT(refusal<PermissionError>(request), HasSubstr("exec plain"));
}

TEST(SpawnTest, FileAsAFolderIsNotADirectoryError) {
  TemporaryFolder folder;
  const std::string plain = folder.write("plain", "text", false);
  SpawnRequest request;
  request.argv = {plain + "/program"};
  EXPECT_THAT(refusal<NotADirectoryError>(request), HasSubstr("exec " + plain));
}

TEST(SpawnTest, TextIsNoProgram) {
  TemporaryFolder folder;
  SpawnRequest request;
  request.argv = {folder.write("text", "exit 1\n", true)};
  EXPECT_THAT(refusal<OSError>(request), HasSubstr("[Errno 8] exec "));
}

TEST(SpawnTest, ChangesTheDirectoryAndNamesOneThatIsMissing) {
  SpawnRequest request = shell("pwd");
  request.cwd = "/usr";
  EXPECT_EQ(output(request), "/usr\n");
  request.cwd = "/no/such/folder";
  EXPECT_EQ(refusal<FileNotFoundError>(request),
            "FileNotFoundError: [Errno 2] chdir to /no/such/folder: No such "
            "file or directory");
  request.cwd = "/etc/passwd";
  EXPECT_THAT(refusal<NotADirectoryError>(request),
              HasSubstr("chdir to /etc/passwd"));
  request.cwd = "";
  EXPECT_THAT(refusal<FileNotFoundError>(request), HasSubstr("chdir to "));
}

TEST(SpawnTest, RelativeProgramIsLookedForInTheNewDirectory) {
  TemporaryFolder folder;
  folder.write("here", "#!/bin/sh\nexit 9\n", true);
  SpawnRequest request;
  request.argv = {"./here"};
  request.cwd = folder.path();
  EXPECT_EQ(run(request), 9);
}

TEST(SpawnTest, StandardDescriptorsMayBeSwapped) {
  // In the child 1 is our 2 and 2 is our 1.
  TemporaryFolder folder;
  const std::string first = folder.write("first", "", false);
  const std::string second = folder.write("second", "", false);
  const int saved[] = {dup(1), dup(2)};
  FileDescriptor one(open(first.c_str(), O_WRONLY | O_CLOEXEC));
  FileDescriptor two(open(second.c_str(), O_WRONLY | O_CLOEXEC));
  dup2(one.get(), 1);
  dup2(two.get(), 2);
  SpawnRequest request = shell("echo out; echo err >&2");
  request.std_fds = {-1, 2, 1};
  const int code = run(request);
  dup2(saved[0], 1);
  dup2(saved[1], 2);
  close(saved[0]);
  close(saved[1]);
  EXPECT_EQ(code, 0);
  std::string text;
  std::getline(std::ifstream(first), text);
  EXPECT_EQ(text, "err");
  std::getline(std::ifstream(second), text);
  EXPECT_EQ(text, "out");
}

TEST(SpawnTest, BadDescriptorIsOSError) {
  SpawnRequest request = shell("exit 0");
  request.std_fds[0] = 1'000'000;
  EXPECT_EQ(refusal<OSError>(request),
            "OSError: [Errno 9] passing descriptors to sh: Bad file "
            "descriptor");
}

TEST(SpawnTest, NoDescriptorOfOursReachesTheChild) {
  FileDescriptor kept(fcntl(0, F_DUPFD, 50));            // without FD_CLOEXEC
  FileDescriptor passed(fcntl(0, F_DUPFD_CLOEXEC, 60));  // with it
  FileDescriptor high(fcntl(0, F_DUPFD, 200));
  ASSERT_GE(high.get(), 200);
  SpawnRequest request =
      shell("for fd in /proc/self/fd/*; do echo ${fd##*/}; done");
  request.pass_fds = {passed.get()};
  const std::string listed = output(request);
  // One more may be the shell's own, for the folder itself.
  EXPECT_THAT(listed, HasSubstr("0\n1\n2\n"));
  EXPECT_THAT(listed, HasSubstr("\n" + std::to_string(passed.get()) + "\n"));
  EXPECT_THAT(listed, Not(HasSubstr(std::to_string(kept.get()) + "\n")));
  EXPECT_THAT(listed, Not(HasSubstr(std::to_string(high.get()) + "\n")));
  EXPECT_NE(fcntl(passed.get(), F_GETFD) & FD_CLOEXEC, 0);  // ours as before
}

TEST(SpawnTest, IgnoredPipeSignalIsBackToDefaultOthersStayIgnored) {
  auto* const pipe_before = signal(SIGPIPE, SIG_IGN);
  auto* const user_before = signal(SIGUSR1, SIG_IGN);
  EXPECT_EQ(run(shell("kill -PIPE $$; exit 5")), -SIGPIPE);
  EXPECT_EQ(run(shell("kill -USR1 $$; exit 5")), 5);
  signal(SIGPIPE, pipe_before);
  signal(SIGUSR1, user_before);
}

TEST(SpawnTest, CaughtSignalHasItsDefaultActionInTheChild) {
  auto* const before = signal(SIGUSR2, [](int) {});
  EXPECT_EQ(run(shell("kill -USR2 $$; exit 5")), -SIGUSR2);
  EXPECT_NE(signal(SIGUSR2, before), SIG_DFL);  // still ours here
}

TEST(SpawnTest, SignalMaskIsTheCallers) {
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_SETMASK, &set, &before);
  SpawnRequest request;  // no shell: it sets a mask of its own
  request.argv = {"grep", "SigBlk", "/proc/self/status"};
  const std::string in_child = output(request);
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, &before, &now);
  EXPECT_EQ(in_child, "SigBlk:\t0000000000000200\n");
  EXPECT_EQ(sigismember(&now, SIGUSR1), 1);
  EXPECT_EQ(sigismember(&now, SIGTERM), 0);
}

TEST(SpawnTest, NewSessionAndProcessGroup) {
  SpawnRequest request = shell("exec sleep 100");
  request.start_new_session = true;
  const SpawnedChild leader = spawn(request);
  EXPECT_EQ(getsid(leader.pid), leader.pid);
  request.start_new_session = false;
  request.process_group = 0;
  const SpawnedChild group = spawn(request);
  EXPECT_EQ(getpgid(group.pid), group.pid);
  EXPECT_EQ(getsid(group.pid), getsid(0));
  request.process_group = group.pid;
  const SpawnedChild member = spawn(request);
  EXPECT_EQ(getpgid(member.pid), group.pid);
  for (const SpawnedChild* child : {&leader, &group, &member}) {
    kill(child->pid, SIGKILL);
    EXPECT_EQ(wait(*child), -SIGKILL);
  }
  request.process_group = std::numeric_limits<pid_t>::max();
  EXPECT_THAT(refusal<PermissionError>(request), HasSubstr("setpgid to "));
}

TEST(SpawnTest, Umask) {
  SpawnRequest request = shell("umask");
  request.umask = 027;
  EXPECT_EQ(output(request), "0027\n");
}

TEST(SpawnTest, ChangesUserAndGroups) {
  if (!can_change_user()) GTEST_SKIP() << "not root, or in a user namespace";
  SpawnRequest request = shell("id -u; id -g; id -G");
  request.user = 65534;
  request.group = 60000;
  request.extra_groups = std::vector<gid_t>{60001, 60002};
  EXPECT_EQ(output(request), "65534\n60000\n60000 60001 60002\n");
  request.extra_groups.emplace();
  EXPECT_EQ(output(request), "65534\n60000\n60000\n");
  EXPECT_EQ(geteuid(), 0U);
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);  // as before
}

TEST(SpawnTest, UserWithoutThePrivilegeIsPermissionError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may";
  SpawnRequest request = shell("exit 0");
  request.user = 0;
  EXPECT_THAT(refusal<PermissionError>(request), HasSubstr("setuid to 0"));
}

TEST(SpawnTest, FailureLeavesNothing) {
  const int before = open_descriptors();
  SpawnRequest request;
  request.argv = {"/no/such/program"};
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW(spawn(request), FileNotFoundError);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(SpawnTest, FromSeveralThreadsAtOnce) {
  std::vector<int> codes(4);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t, &code = codes[t]] {
        for (int i = 0; i < 10; ++i) {
          code += run(shell("exit " + std::to_string(t)));
        }
      });
    }
  }
  EXPECT_THAT(codes, testing::ElementsAre(0, 10, 20, 30));
}

}  // namespace
}  // namespace asyncio::internal
