#include <sys/eventfd.h>

#include <cerrno>
#include <mutex>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/internal/poller.h"

namespace asyncio::internal {
namespace {

struct Spares {
  std::mutex mutex;
  std::vector<int> fds;
};

// Never destroyed: loops may end after the program's statics.
Spares& spares() {
  static Spares* const instance = new Spares;
  return *instance;
}

}  // namespace

int take_wake_fd() {
  Spares& s = spares();
  std::lock_guard lock(s.mutex);
  if (!s.fds.empty()) {
    const int fd = s.fds.back();
    s.fds.pop_back();
    return fd;
  }
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw_os_error(errno, "eventfd");
  return fd;
}

void give_wake_fd_back(int fd) noexcept {
  Spares& s = spares();
  std::lock_guard lock(s.mutex);
  s.fds.push_back(fd);
}

}  // namespace asyncio::internal
