// spawn: starts a program in a child process, and says which step failed where
// that is not possible.
//
//   SpawnRequest request;
//   request.argv = {"true"};
//   SpawnedChild child = spawn(request);   // watched and reaped by its pidfd
//
// The child shares the memory of this process until it has become the program,
// as with vfork(): nothing of a large process is copied. The calling thread
// stands still meanwhile, other threads run on.
//
// In the child, in this order: every signal that was caught has its default
// action; the standard descriptors; the directory; the umask; SIGPIPE and
// SIGXFSZ have their default action; session, process group, groups, group,
// user; every descriptor but the standard ones and `pass_fds` is closed; the
// caller's signal mask; the program.
//
// Errors: OSError by errno, naming the step and the program, directory or id:
// "[Errno 2] exec nosuch: No such file or directory". No child is left then.
// Threads: any.
#ifndef ASYNCIO_SUBPROCESS_INTERNAL_SPAWN_H_
#define ASYNCIO_SUBPROCESS_INTERNAL_SPAWN_H_

#include <array>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "asyncio/streams/file_descriptor.h"

namespace asyncio::internal {

struct SpawnRequest {
  // The arguments, the program's own name first.
  std::vector<std::string> argv;
  // What is run; empty: argv[0]. Without a slash it is looked for in the PATH
  // of the child's environment.
  std::string executable;
  // What becomes the descriptors 0, 1 and 2; -1: what they are here.
  std::array<int, 3> std_fds = {-1, -1, -1};
  // Kept open in the child, under their numbers.
  std::vector<int> pass_fds;
  std::optional<std::string> cwd;
  // "NAME=value" each; empty: this process's environment.
  std::optional<std::vector<std::string>> env;
  bool start_new_session = false;
  std::optional<pid_t> process_group;
  std::optional<std::vector<gid_t>> extra_groups;
  std::optional<gid_t> group;
  std::optional<uid_t> user;
  std::optional<mode_t> umask;
};

struct SpawnedChild {
  pid_t pid;
  FileDescriptor pidfd;
};

SpawnedChild spawn(const SpawnRequest& request);

}  // namespace asyncio::internal

#endif  // ASYNCIO_SUBPROCESS_INTERNAL_SPAWN_H_
