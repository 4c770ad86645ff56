#include "asyncio/loop/internal/system.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace asyncio::internal {
namespace {

template <class N>
N or_error(N n) {
  return n < 0 ? static_cast<N>(-errno) : n;
}

// A flag of pwritev2() since Linux 6.18: no SIGPIPE.
constexpr int kNoSignal = 0x100;

// Keeps a write's SIGPIPE from the process where the kernel cannot be told not
// to send it: blocks the signal, and takes the one that the write raised.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeGuard() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  void take() {
    if (was_pending_) return;
    const timespec now{};
    sigtimedwait(&sigpipe_, nullptr, &now);
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_;
};

}  // namespace

ssize_t System::read(int fd, void* data, size_t size) {
  return or_error(::read(fd, data, size));
}

ssize_t System::write(int fd, const void* data, size_t size) {
  const iovec part{const_cast<void*>(data), size};
  return System::writev(fd, &part, 1);
}

ssize_t System::writev(int fd, const iovec* parts, int count) {
  static std::atomic<bool> no_flag{false};
  if (!no_flag.load(std::memory_order_relaxed)) {
    const ssize_t n = ::pwritev2(fd, parts, count, -1, kNoSignal);
    if (n >= 0) return n;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) {
      return -errno;
    }
    no_flag.store(true, std::memory_order_relaxed);
  }
  SigpipeGuard guard;
  const ssize_t n = ::writev(fd, parts, count);
  if (n >= 0) return n;
  const int error = errno;
  if (error == EPIPE) guard.take();
  return -error;
}

ssize_t System::recv(int fd, void* data, size_t size, int flags) {
  return or_error(::recv(fd, data, size, flags));
}

ssize_t System::send(int fd, const void* data, size_t size, int flags) {
  return or_error(::send(fd, data, size, flags | MSG_NOSIGNAL));
}

ssize_t System::recvmsg(int fd, msghdr* message, int flags) {
  return or_error(::recvmsg(fd, message, flags));
}

ssize_t System::sendmsg(int fd, const msghdr* message, int flags) {
  return or_error(::sendmsg(fd, message, flags | MSG_NOSIGNAL));
}

int System::recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return or_error(::recvmmsg(fd, messages, count, flags, nullptr));
}

int System::sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return or_error(::sendmmsg(fd, messages, count, flags | MSG_NOSIGNAL));
}

ssize_t System::sendfile(int to, int from, off_t* offset, size_t count) {
  // A socket whose peer is gone gives EPIPE and raises SIGPIPE, and there is no
  // flag against it.
  SigpipeGuard guard;
  const ssize_t n = ::sendfile(to, from, offset, count);
  if (n >= 0) return n;
  const int error = errno;
  if (error == EPIPE) guard.take();
  return -error;
}

ssize_t System::splice(int to, int from, size_t count) {
  SigpipeGuard guard;
  const ssize_t n = ::splice(from, nullptr, to, nullptr, count,
                             SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n >= 0) return n;
  const int error = errno;
  if (error == EPIPE) guard.take();
  return -error;
}

int System::socket(int family, int type, int protocol) {
  return or_error(
      ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int System::accept(int fd, sockaddr* address, socklen_t* size) {
  return or_error(::accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int System::connect(int fd, const sockaddr* address, socklen_t size) {
  return or_error(::connect(fd, address, size));
}

int System::shutdown(int fd, int how) { return or_error(::shutdown(fd, how)); }

int System::close(int fd) { return or_error(::close(fd)); }

System& kernel() {
  static System* const instance = new System;
  return *instance;
}

}  // namespace asyncio::internal
