#include "asyncio/subprocess/internal/process_tree.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "asyncio/streams/file_descriptor.h"

namespace asyncio::internal {
namespace {

// 0 where there is no such process.
pid_t parent_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return 0;
  char text[512];
  const ssize_t size = read(file.get(), text, sizeof text - 1);
  if (size <= 0) return 0;
  text[size] = '\0';
  // "pid (name) state ppid ...", where the name may hold anything.
  const char* name_end = std::strrchr(text, ')');
  int parent = 0;
  if (name_end == nullptr ||
      std::sscanf(name_end + 1, " %*c %d", &parent) != 1) {
    return 0;
  }
  return parent;
}

void signal_by(int pidfd, int sig) {
  syscall(SYS_pidfd_send_signal, pidfd, sig, nullptr, 0);
}

}  // namespace

ProcessTree::ProcessTree(pid_t root, int root_pidfd)
    : root_(root), root_pidfd_(root_pidfd) {
  signal_by(root_pidfd_, SIGSTOP);
  while (look_again()) {
  }
}

void ProcessTree::send_signal(int sig) const {
  signal_by(root_pidfd_, sig);
  for (const auto& [pid, pidfd] : members_) signal_by(pidfd.get(), sig);
}

bool ProcessTree::look_again() {
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid > 0 && !holds(pid) && holds(parent_of(pid))) found |= add(pid);
  }
  closedir(folder);
  return found;
}

// Its parent is stopped and cannot reap it: while the number belongs to a child
// of that parent, it belongs to the process that the pidfd names.
bool ProcessTree::add(pid_t pid) {
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() < 0 || !holds(parent_of(pid))) return false;
  signal_by(pidfd.get(), SIGSTOP);
  members_.emplace(pid, std::move(pidfd));
  return true;
}

}  // namespace asyncio::internal
