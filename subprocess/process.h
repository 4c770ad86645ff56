// Process: a program that was started, its streams, its end.
//
//   Process ls = co_await create_subprocess_exec({"ls", "-l"},
//                                                {.std_out = PIPE});
//   auto [out, err] = co_await ls.communicate();
//   int code = *ls.returncode();
//
//   Process cat = co_await create_subprocess_shell(
//       "cat -n", {.std_in = PIPE, .std_out = PIPE});
//   cat.std_in().write("hello\n");
//   std::string line = co_await cat.std_out().readline();
//   cat.terminate();
//   co_await cat.wait();
//
// Order: create_subprocess_exec() waits for nothing: when it returns the program
// runs, or the reason why it does not was thrown. wait() wakes who waits in the
// order in which they came.
// Errors: FileNotFoundError, NotADirectoryError, PermissionError and the like,
// which name the program or the directory; ValueError for what cannot be passed.
// Cancellation: of wait() and communicate(): at once; the program runs on, and
// what was read stays for the next communicate().
// Lifetime: a handle, move-only, null when default-constructed. Destroying it
// kills the program where it runs; its loop reaps it, when it is closed at the
// latest. wait() and communicate() may outlive the handle, the program does not.
// Threads: the loop's. Loops of several threads start and wait for their own.
// Cost: nothing of this process is copied, however large it is; the loop stands
// still until the program is loaded. docs/subprocess.md.
#ifndef ASYNCIO_SUBPROCESS_PROCESS_H_
#define ASYNCIO_SUBPROCESS_PROCESS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/subprocess/argv.h"
#include "asyncio/subprocess/internal/child.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

// What communicate() gives; empty where there is no pipe.
class Output {
 public:
  Output() = default;
  Output(std::string out, std::string err)
      : std_out(std::move(out)), std_err(std::move(err)) {}

  std::string std_out;
  std::string std_err;
};

struct CommunicateOptions {
  // TimeoutError after it. The program runs on.
  std::optional<Duration> timeout = {};
  // Of what is read from both pipes together: LimitOverrunError above it. The
  // program runs on.
  std::optional<size_t> max_bytes = {};
};

namespace internal {

// What a Process and its communicate() share.
class ProcessState {
 public:
  explicit ProcessState(Ref<Child> child) : child(std::move(child)) {}
  ProcessState(const ProcessState&) = delete;
  ProcessState& operator=(const ProcessState&) = delete;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

  const Ref<Child> child;
  // Null where there is no pipe.
  StreamWriter std_in;
  StreamReader std_out;
  StreamReader std_err;
  // What communicate() has read and not given yet.
  Output collected;

 private:
  ~ProcessState() = default;

  uint32_t references_ = 0;
};

}  // namespace internal

class Process {
 public:
  Process() = default;
  Process(Process&&) noexcept = default;
  Process& operator=(Process&& other) noexcept {
    if (this != &other) {
      reset();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Process() { reset(); }

  pid_t pid() const { return state_->child->pid(); }
  // Its exit code, or the negative number of the signal that ended it; empty
  // until the loop has seen its end. 255 where somebody else has taken its
  // status, or SIGCHLD is ignored: then the loop's exception handler is told.
  std::optional<int> returncode() const { return state_->child->returncode(); }

  // -> int, the return code, when it has ended: also where a descendant of it
  // has the pipes open. With pipes that nobody reads it may wait for ever: the
  // program waits for room in them. communicate() does not.
  internal::ExitRequest wait() const {
    return internal::ExitRequest(state_->child);
  }

  // -> Output. Sends `input` and closes std_in; reads std_out and std_err to
  // their ends meanwhile; waits. A program that reads less than it is sent is
  // no error.
  Coroutine<Output> communicate(std::string input = {},
                                CommunicateOptions options = {}) const;

  // ProcessLookupError once returncode() is there. A signal to a program that
  // has just ended is lost, and never reaches another.
  void send_signal(int sig) const { state_->child->send_signal(sig); }
  void terminate() const;  // SIGTERM
  void kill() const;       // SIGKILL
  // SIGKILL to it and its descendants, found by who is whose parent, and to its
  // process group where it was started as the leader of one. Who has left both
  // is not reached.
  void kill_tree() const { state_->child->kill_tree(); }

  // RuntimeError where it is no pipe.
  StreamWriter& std_in() const;
  StreamReader& std_out() const;
  StreamReader& std_err() const;
  bool has_std_in() const { return static_cast<bool>(state_->std_in); }
  bool has_std_out() const { return static_cast<bool>(state_->std_out); }
  bool has_std_err() const { return static_cast<bool>(state_->std_err); }

  explicit operator bool() const { return static_cast<bool>(state_); }

  // For the library.
  explicit Process(internal::Ref<internal::ProcessState> state)
      : state_(std::move(state)) {}

 private:
  void reset() noexcept {
    if (!state_) return;
    state_->child->abandon();
    state_ = nullptr;
  }

  internal::Ref<internal::ProcessState> state_;
};

// Starts a program with arguments, its name first. Without a slash it is looked
// for in the PATH.
Coroutine<Process> create_subprocess_exec(Argv argv,
                                          SubprocessOptions options = {});

// Starts `/bin/sh -c command`. The caller quotes what comes from elsewhere.
Coroutine<Process> create_subprocess_shell(std::string command,
                                           SubprocessOptions options = {});

}  // namespace asyncio

#endif  // ASYNCIO_SUBPROCESS_PROCESS_H_
