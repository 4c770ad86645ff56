#include "asyncio/subprocess/process.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fcntl.h>
#include <grp.h>
#include <limits>
#include <optional>
#include <pwd.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/subprocess/argv.h"
#include "asyncio/subprocess/internal/child.h"
#include "asyncio/subprocess/internal/spawn.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task_group.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"

namespace asyncio {

using internal::Child;
using internal::FdTransport;
using internal::ProcessState;
using internal::Ref;
using internal::SpawnRequest;

namespace {

// --- What is asked for, copied at the call.

class Account {
 public:
  explicit Account(const AccountRef& ref)
      : given_(ref), id_(ref.id()), name_(ref.name()) {}

  explicit operator bool() const { return given_; }
  int64_t id() const { return id_; }
  const std::optional<std::string>& name() const { return name_; }

 private:
  bool given_;
  int64_t id_;
  std::optional<std::string> name_;
};

class StartRequest {
 public:
  StartRequest(Argv argv, const SubprocessOptions& options)
      : redirects{options.std_in, options.std_out, options.std_err},
        user(options.user),
        group(options.group),
        limit(options.limit) {
    spawn.argv = std::move(argv).words();
    spawn.executable = options.executable;
    spawn.pass_fds.assign(options.pass_fds.begin(), options.pass_fds.end());
    if (options.cwd.data() != nullptr) spawn.cwd.emplace(options.cwd);
    spawn.start_new_session = options.start_new_session;
    spawn.process_group = options.process_group;
    if (options.extra_groups) {
      spawn.extra_groups.emplace(options.extra_groups->begin(),
                                 options.extra_groups->end());
    }
    spawn.umask = options.umask;
    if (options.env) env = options.env.entries();
  }

  SpawnRequest spawn;
  std::optional<int> redirects[3];
  std::optional<EnvironmentRef::Entries> env;
  Account user;
  Account group;
  size_t limit;
};

// --- The checks of what is asked for.

[[noreturn]] void throw_unknown_name(const char* call,
                                     const std::string& name) {
  throw LookupError(std::string(call) + "(): name not found: '" + name + "'");
}

// What getpwnam_r() or getgrnam_r() finds under `name`.
template <class Entry, class Find>
std::optional<Entry> look_up(Find find, const std::string& name,
                             std::vector<char>& buffer) {
  buffer.resize(1024);
  while (true) {
    Entry entry;
    Entry* found = nullptr;
    const int error =
        find(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) {
      buffer.resize(2 * buffer.size());
    } else if (found == nullptr) {
      return std::nullopt;
    } else {
      return entry;
    }
  }
}

uint32_t checked_id(const char* kind, int64_t id) {
  if (id < 0) {
    throw ValueError(std::string(kind) + " ID cannot be negative, got " +
                     std::to_string(id));
  }
  if (id > std::numeric_limits<uint32_t>::max()) {
    throw ValueError(std::string(kind) +
                     " ID is out of range: " + std::to_string(id));
  }
  return static_cast<uint32_t>(id);
}

uid_t user_id(const Account& user) {
  if (!user.name()) return checked_id("User", user.id());
  std::vector<char> buffer;
  const auto entry = look_up<passwd>(&getpwnam_r, *user.name(), buffer);
  if (!entry) throw_unknown_name("getpwnam", *user.name());
  return entry->pw_uid;
}

gid_t group_id(const Account& account) {
  if (!account.name()) return checked_id("Group", account.id());
  std::vector<char> buffer;
  const auto entry =
      look_up<struct group>(&getgrnam_r, *account.name(), buffer);
  if (!entry) throw_unknown_name("getgrnam", *account.name());
  return entry->gr_gid;
}

void check_text(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw ValueError("embedded null byte");
  }
}

std::vector<std::string> environment(const EnvironmentRef::Entries& entries) {
  std::vector<std::string> environment;
  environment.reserve(entries.size());
  for (const auto& [name, value] : entries) {
    if (name.find('=') != std::string::npos) {
      throw ValueError("illegal environment variable name");
    }
    check_text(name);
    check_text(value);
    environment.push_back(name + "=" + value);
  }
  return environment;
}

void check(const StartRequest& request) {
  const SpawnRequest& spawn = request.spawn;
  if (spawn.argv.empty()) throw ValueError("no program is named");
  for (const std::string& word : spawn.argv) check_text(word);
  check_text(spawn.executable);
  if (spawn.cwd) check_text(*spawn.cwd);
  for (const int fd : spawn.pass_fds) {
    if (fd < 0) throw ValueError("bad value(s) in pass_fds");
  }
  if (request.limit == 0) throw ValueError("Limit cannot be <= 0");
  for (int i = 0; i < 3; ++i) {
    const int wanted = request.redirects[i].value_or(PIPE);
    if (wanted == STDOUT && i != 2) {
      throw ValueError("STDOUT can only be used for std_err");
    }
    if (wanted < DEVNULL) {
      throw ValueError("Invalid file descriptor: " + std::to_string(wanted));
    }
  }
}

// --- The start.

// The three descriptors: what the child gets, and what is left here.
class Redirection {
 public:
  explicit Redirection(const StartRequest& request) {
    for (int i = 0; i < 3; ++i) {
      if (request.redirects[i]) redirect(i, *request.redirects[i]);
    }
  }

  const std::array<int, 3>& std_fds() const { return std_fds_; }
  // Our end of a pipe.
  FileDescriptor& our_end(int i) { return ours_[i]; }
  void close_theirs() {
    for (FileDescriptor& fd : theirs_) fd.reset();
  }

 private:
  void redirect(int i, int wanted) {
    switch (wanted) {
      case PIPE: {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) throw_os_error(errno, "pipe");
        const int child_reads = i == 0 ? 0 : 1;
        theirs_[i] = FileDescriptor(ends[child_reads]);
        ours_[i] = FileDescriptor(ends[1 - child_reads]);
        std_fds_[i] = theirs_[i].get();
        break;
      }
      case STDOUT:
        std_fds_[i] = std_fds_[1] >= 0 ? std_fds_[1] : 1;
        break;
      case DEVNULL:
        theirs_[i] = FileDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
        if (!theirs_[i]) throw_os_error(errno, "open /dev/null");
        std_fds_[i] = theirs_[i].get();
        break;
      default:
        std_fds_[i] = wanted;
    }
  }

  std::array<int, 3> std_fds_ = {-1, -1, -1};
  FileDescriptor theirs_[3];
  FileDescriptor ours_[3];
};

Ref<internal::Stream> open_pipe(FileDescriptor& fd, FdTransport::Kind kind,
                                size_t limit) {
  Ref<internal::Stream> stream =
      internal::open_stream(get_running_loop(), fd.get(), kind, limit);
  fd.release();
  return stream;
}

// A turn passes before the child is given away, as in Python more of them do: a
// cancellation that comes there kills it.
Coroutine<Process> start(StartRequest request) {
  check(request);
  SpawnRequest& spawn = request.spawn;
  if (request.env) spawn.env = environment(*request.env);
  if (request.user) spawn.user = user_id(request.user);
  if (request.group) spawn.group = group_id(request.group);
  Redirection redirection(request);
  spawn.std_fds = redirection.std_fds();
  Ref<ProcessState> state(
      new ProcessState(Child::start(get_running_loop(), spawn)));
  redirection.close_theirs();
  // From here on an exception kills the child.
  Process process(state);
  if (FileDescriptor& fd = redirection.our_end(0); fd) {
    state->std_in = StreamWriter(
        open_pipe(fd, FdTransport::Kind::kWritePipe, request.limit));
  }
  if (FileDescriptor& fd = redirection.our_end(1); fd) {
    state->std_out = StreamReader(
        open_pipe(fd, FdTransport::Kind::kReadPipe, request.limit));
  }
  if (FileDescriptor& fd = redirection.our_end(2); fd) {
    state->std_err = StreamReader(
        open_pipe(fd, FdTransport::Kind::kReadPipe, request.limit));
  }
  co_await sleep(Duration::zero());
  co_return process;
}

// --- communicate().

bool is_broken_pipe(const std::exception_ptr& error) {
  return exception_cast<BrokenPipeError>(error) != nullptr ||
         exception_cast<ConnectionResetError>(error) != nullptr;
}

// All of the input goes to the writer at once: where this is cancelled, the
// rest is sent all the same.
Coroutine<> feed(Ref<ProcessState> process, std::string input) {
  process->std_in.write(input);
  std::string().swap(input);
  const Result<> sent = co_await as_result(process->std_in.drain());
  if (!sent && !is_broken_pipe(sent.exception())) sent.rethrow();
  process->std_in.close();
}

Coroutine<> collect(Ref<ProcessState> process, const StreamReader& reader,
                    std::string& text, std::optional<size_t> max_bytes) {
  constexpr ptrdiff_t kChunk = 64 * 1024;
  const Output& collected = process->collected;
  while (true) {
    const std::string chunk = co_await reader.read(kChunk);
    if (chunk.empty()) co_return;
    text += chunk;
    const size_t total = collected.std_out.size() + collected.std_err.size();
    if (max_bytes && total > *max_bytes) {
      throw LimitOverrunError(
          "the output of process " + std::to_string(process->child->pid()) +
              " is longer than " + std::to_string(*max_bytes) + " bytes",
          total);
    }
  }
}

// Feeds and drains at the same time. With one pipe there is nothing to do
// meanwhile.
Coroutine<> transfer(Ref<ProcessState> process, std::string input,
                     std::optional<size_t> max_bytes) {
  std::vector<Coroutine<>> parts;
  if (process->std_in) parts.push_back(feed(process, std::move(input)));
  if (process->std_out) {
    parts.push_back(collect(process, process->std_out,
                            process->collected.std_out, max_bytes));
  }
  if (process->std_err) {
    parts.push_back(collect(process, process->std_err,
                            process->collected.std_err, max_bytes));
  }
  if (parts.size() == 1) {
    co_await parts[0];
  } else if (parts.size() > 1) {
    auto start_all = [&parts](TaskGroup& group) {
      for (Coroutine<>& part : parts) group.create_task(std::move(part));
    };
    const Result<> done = co_await as_result(with(TaskGroup(), start_all));
    if (const auto* group = done.get_if<BaseExceptionGroup>()) {
      std::rethrow_exception(group->exceptions()[0]);
    }
    done.rethrow();
  }
  co_await internal::ExitRequest(process->child);
}

Coroutine<Output> communicate_with(Ref<ProcessState> process, std::string input,
                                   CommunicateOptions options) {
  co_await wait_for(transfer(process, std::move(input), options.max_bytes),
                    options.timeout);
  co_return std::exchange(process->collected, Output());
}

[[noreturn]] void throw_no_pipe(const char* name) {
  throw RuntimeError(std::string(name) +
                     " of the process is no pipe: start it with {." + name +
                     " = PIPE}");
}

}  // namespace

Coroutine<Output> Process::communicate(std::string input,
                                       CommunicateOptions options) const {
  return communicate_with(state_, std::move(input), options);
}

void Process::terminate() const { send_signal(SIGTERM); }
void Process::kill() const { send_signal(SIGKILL); }

StreamWriter& Process::std_in() const {
  if (!has_std_in()) throw_no_pipe("std_in");
  return state_->std_in;
}
StreamReader& Process::std_out() const {
  if (!has_std_out()) throw_no_pipe("std_out");
  return state_->std_out;
}
StreamReader& Process::std_err() const {
  if (!has_std_err()) throw_no_pipe("std_err");
  return state_->std_err;
}

Coroutine<Process> create_subprocess_exec(Argv argv,
                                          SubprocessOptions options) {
  return start(StartRequest(std::move(argv), options));
}

Coroutine<Process> create_subprocess_shell(std::string command,
                                           SubprocessOptions options) {
  const std::string_view shell =
      options.executable.empty() ? "/bin/sh" : options.executable;
  return start(StartRequest(Argv(shell, "-c", command), options));
}

}  // namespace asyncio
