#include "asyncio/subprocess/internal/spawn.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/file_descriptor.h"

#if defined(__SANITIZE_THREAD__)
#define ASYNCIO_INTERNAL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASYNCIO_INTERNAL_TSAN 1
#endif
#endif

// ThreadSanitizer puts itself before clone(), for children that have memory of
// their own.
#if defined(ASYNCIO_INTERNAL_TSAN)
extern "C" int __clone(int (*fn)(void*), void* stack, int flags, void* arg,
                       ...);
#define ASYNCIO_INTERNAL_CLONE __clone
#else
#define ASYNCIO_INTERNAL_CLONE ::clone
#endif

// For what runs in the child. It never returns: a sanitizer would keep its
// frames in books that the child shares with its parent.
#if defined(__clang__)
#define ASYNCIO_INTERNAL_IN_CHILD \
  __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define ASYNCIO_INTERNAL_IN_CHILD \
  __attribute__((noinline, no_sanitize("address", "thread", "undefined")))
#endif

namespace asyncio::internal {
namespace {

enum class SpawnStep : uint8_t {
  kDescriptors,
  kDirectory,
  kSession,
  kProcessGroup,
  kGroups,
  kGroup,
  kUser,
  kExec,
};

// The kernel's set of signals.
using SignalMask = uint64_t;
constexpr int kSignals = 64;

// What the child is told, prepared by the parent, and what it answers. Plain
// arrays: the child calls nothing but the kernel.
struct ChildStart {
  char* const* argv;
  char* const* environment;
  char* const* programs;  // to be tried in this order
  const char* cwd;        // or null
  int std_fds[3];
  const int* pass_fds;  // in ascending order
  size_t pass_fd_count;
  int descriptor_limit;  // for kernels without close_range()
  bool start_new_session;
  const pid_t* process_group;  // or null, and so are those below
  const gid_t* extra_groups;
  size_t extra_group_count;
  const gid_t* group;
  const uid_t* user;
  const mode_t* umask;
  SignalMask mask;

  int error = 0;
  SpawnStep step = SpawnStep::kExec;
};

// All that follows runs in the child, on a stack of its own but in the memory
// of its parent: no allocation, no lock, and no function of the C library that
// keeps state, as those for user ids and signals do.

[[noreturn]] ASYNCIO_INTERNAL_IN_CHILD void fail(ChildStart& start,
                                                 SpawnStep step) {
  start.error = errno;
  start.step = step;
  while (true) syscall(SYS_exit_group, 255);
}

ASYNCIO_INTERNAL_IN_CHILD void set_default_action(int sig) {
  // Zero is the default action, no flags, no mask: in every layout of the
  // kernel's struct.
  const uint64_t action[8] = {};
  syscall(SYS_rt_sigaction, sig, action, nullptr, sizeof(SignalMask));
}

// A handler must not run in the memory of the parent.
ASYNCIO_INTERNAL_IN_CHILD void forget_signal_handlers() {
  for (int sig = 1; sig <= kSignals; ++sig) {
    uintptr_t action[16];  // the kernel's struct, the handler first
    if (syscall(SYS_rt_sigaction, sig, nullptr, action, sizeof(SignalMask)) !=
        0) {
      continue;
    }
    const bool caught = action[0] != reinterpret_cast<uintptr_t>(SIG_DFL) &&
                        action[0] != reinterpret_cast<uintptr_t>(SIG_IGN);
    if (caught) set_default_action(sig);
  }
}

ASYNCIO_INTERNAL_IN_CHILD bool keep_on_exec(int fd) {
  const long flags = syscall(SYS_fcntl, fd, F_GETFD);
  return flags >= 0 &&
         syscall(SYS_fcntl, fd, F_SETFD, flags & ~FD_CLOEXEC) == 0;
}

ASYNCIO_INTERNAL_IN_CHILD bool place_std_fds(int (&fds)[3]) {
  // Those among them that another would overwrite go out of the way.
  for (int i = 0; i < 3; ++i) {
    if (fds[i] < 0 || fds[i] > 2 || fds[i] == i) continue;
    fds[i] = static_cast<int>(syscall(SYS_fcntl, fds[i], F_DUPFD_CLOEXEC, 3));
    if (fds[i] < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (fds[i] < 0) continue;
    if (fds[i] == i ? !keep_on_exec(i) : syscall(SYS_dup3, fds[i], i, 0) < 0) {
      return false;
    }
  }
  return true;
}

ASYNCIO_INTERNAL_IN_CHILD void close_between(unsigned first, unsigned last,
                                             unsigned limit) {
#if defined(SYS_close_range)
  if (syscall(SYS_close_range, first, last, 0) == 0) return;
#endif
  for (unsigned fd = first; fd <= last && fd < limit; ++fd) {
    syscall(SYS_close, fd);
  }
}

ASYNCIO_INTERNAL_IN_CHILD void close_others(const ChildStart& start) {
  unsigned first = 3;
  const unsigned limit = static_cast<unsigned>(start.descriptor_limit);
  for (size_t i = 0; i < start.pass_fd_count; ++i) {
    const unsigned kept = static_cast<unsigned>(start.pass_fds[i]);
    if (kept < first) continue;
    if (kept > first) close_between(first, kept - 1, limit);
    first = kept + 1;
  }
  close_between(first, ~0U, limit);
}

// Only the first failure that tells more than "not here" is the answer, as in
// Python.
ASYNCIO_INTERNAL_IN_CHILD void exec_first(const ChildStart& start) {
  int error = 0;
  for (char* const* program = start.programs; *program != nullptr; ++program) {
    syscall(SYS_execve, *program, start.argv, start.environment);
    if (errno != ENOENT && errno != ENOTDIR && error == 0) error = errno;
  }
  if (error != 0) errno = error;
}

ASYNCIO_INTERNAL_IN_CHILD int run_child(void* argument) {
  ChildStart& start = *static_cast<ChildStart*>(argument);
  forget_signal_handlers();
  for (size_t i = 0; i < start.pass_fd_count; ++i) {
    if (!keep_on_exec(start.pass_fds[i])) fail(start, SpawnStep::kDescriptors);
  }
  if (!place_std_fds(start.std_fds)) fail(start, SpawnStep::kDescriptors);
  if (start.cwd != nullptr && syscall(SYS_chdir, start.cwd) != 0) {
    fail(start, SpawnStep::kDirectory);
  }
  if (start.umask != nullptr) syscall(SYS_umask, *start.umask);
  set_default_action(SIGPIPE);
  set_default_action(SIGXFSZ);
  if (start.start_new_session && syscall(SYS_setsid) < 0) {
    fail(start, SpawnStep::kSession);
  }
  if (start.process_group != nullptr &&
      syscall(SYS_setpgid, 0, *start.process_group) != 0) {
    fail(start, SpawnStep::kProcessGroup);
  }
  if (start.extra_groups != nullptr &&
      syscall(SYS_setgroups, start.extra_group_count, start.extra_groups) !=
          0) {
    fail(start, SpawnStep::kGroups);
  }
  if (start.group != nullptr &&
      syscall(SYS_setresgid, *start.group, *start.group, *start.group) != 0) {
    fail(start, SpawnStep::kGroup);
  }
  if (start.user != nullptr &&
      syscall(SYS_setresuid, *start.user, *start.user, *start.user) != 0) {
    fail(start, SpawnStep::kUser);
  }
  close_others(start);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &start.mask, nullptr,
          sizeof(SignalMask));
  exec_first(start);
  fail(start, SpawnStep::kExec);
}

// The parent from here on.

template <class T>
const T* pointer_to(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

// Pointers into `strings`, and a null.
std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) {
    pointers.push_back(const_cast<char*>(s.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::string search_path(const SpawnRequest& request) {
  constexpr std::string_view kName = "PATH=";
  const char* value = nullptr;
  if (request.env) {
    for (const std::string& entry : *request.env) {
      if (entry.starts_with(kName)) value = entry.c_str() + kName.size();
    }
  } else {
    value = std::getenv("PATH");
  }
  return value != nullptr ? value : "/bin:/usr/bin";
}

// The files that `name` may stand for.
std::vector<std::string> programs_named(const std::string& name,
                                        const SpawnRequest& request) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> programs;
  const std::string path = search_path(request);
  size_t begin = 0;
  while (true) {
    const size_t end = std::min(path.find(':', begin), path.size());
    std::string folder = path.substr(begin, end - begin);
    if (!folder.empty() && folder.back() != '/') folder += '/';
    programs.push_back(folder + name);
    if (end == path.size()) return programs;
    begin = end + 1;
  }
}

int descriptor_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX) {
    return INT_MAX;
  }
  return static_cast<int>(limit.rlim_cur);
}

[[noreturn]] void throw_failure(const ChildStart& start,
                                const SpawnRequest& request,
                                const std::string& program) {
  std::string what;
  switch (start.step) {
    case SpawnStep::kDescriptors:
      what = "passing descriptors to " + program;
      break;
    case SpawnStep::kDirectory:
      what = "chdir to " + *request.cwd;
      break;
    case SpawnStep::kSession:
      what = "setsid";
      break;
    case SpawnStep::kProcessGroup:
      what = "setpgid to " + std::to_string(*request.process_group);
      break;
    case SpawnStep::kGroups:
      what = "setgroups";
      break;
    case SpawnStep::kGroup:
      what = "setgid to " + std::to_string(*request.group);
      break;
    case SpawnStep::kUser:
      what = "setuid to " + std::to_string(*request.user);
      break;
    case SpawnStep::kExec:
      what = "exec " + program;
      break;
  }
  throw_os_error(start.error, what);
}

// Every signal is blocked while it lives, those of the C library too: none of
// ours may run in the child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    const SignalMask all = ~SignalMask{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  SignalMask before() const { return before_; }

 private:
  SignalMask before_ = 0;
};

// The child's change of ids takes core dumps from the memory that it shares
// with this process; this gives them back.
class DumpableKept {
 public:
  explicit DumpableKept(bool needed)
      : before_(needed ? prctl(PR_GET_DUMPABLE) : -1) {}
  DumpableKept(const DumpableKept&) = delete;
  DumpableKept& operator=(const DumpableKept&) = delete;
  ~DumpableKept() {
    if (before_ == 1) prctl(PR_SET_DUMPABLE, 1);
  }

 private:
  const int before_;
};

// It has ended, or is about to.
void reap_failed(const SpawnedChild& child) {
  siginfo_t info;
  while (waitid(static_cast<idtype_t>(P_PIDFD),
                static_cast<id_t>(child.pidfd.get()), &info, WEXITED) < 0 &&
         errno == EINTR) {
  }
}

}  // namespace

SpawnedChild spawn(const SpawnRequest& request) {
  const std::string& program =
      request.executable.empty() ? request.argv.at(0) : request.executable;
  const std::vector<std::string> programs = programs_named(program, request);
  const std::vector<char*> program_pointers = c_strings(programs);
  const std::vector<char*> argv = c_strings(request.argv);
  std::vector<char*> environment;
  if (request.env) environment = c_strings(*request.env);
  std::vector<int> pass_fds = request.pass_fds;
  std::sort(pass_fds.begin(), pass_fds.end());

  ChildStart start{
      .argv = argv.data(),
      .environment = request.env ? environment.data() : environ,
      .programs = program_pointers.data(),
      .cwd = request.cwd ? request.cwd->c_str() : nullptr,
      .std_fds = {request.std_fds[0], request.std_fds[1], request.std_fds[2]},
      .pass_fds = pass_fds.data(),
      .pass_fd_count = pass_fds.size(),
      .descriptor_limit = descriptor_limit(),
      .start_new_session = request.start_new_session,
      .process_group = pointer_to(request.process_group),
      .extra_groups =
          request.extra_groups ? request.extra_groups->data() : nullptr,
      .extra_group_count =
          request.extra_groups ? request.extra_groups->size() : 0,
      .group = pointer_to(request.group),
      .user = pointer_to(request.user),
      .umask = pointer_to(request.umask),
      .mask = 0,
  };
  // An empty list of groups is one to be set, too.
  const gid_t no_group = 0;
  if (request.extra_groups && start.extra_groups == nullptr) {
    start.extra_groups = &no_group;
  }

  constexpr size_t kStackSize = 16 * 1024;
  alignas(16) std::byte stack[kStackSize];
  int pidfd = -1;
  pid_t pid;
  int error;
  {
    const DumpableKept dumpable(request.user || request.group);
    const SignalsBlocked blocked;
    start.mask = blocked.before();
    pid = ASYNCIO_INTERNAL_CLONE(&run_child, stack + kStackSize,
                                 CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                                 &start, &pidfd);
    error = errno;
  }
  if (pid < 0) throw_os_error(error, "clone for " + program);
  SpawnedChild child{pid, FileDescriptor(pidfd)};
  if (start.error != 0) {
    reap_failed(child);
    throw_failure(start, request, program);
  }
  return child;
}

}  // namespace asyncio::internal
