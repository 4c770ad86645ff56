// System: the seam between what works on descriptors and the kernel.
//
// Streams, datagrams and the rest make each call on a descriptor through the
// System of their loop, so that one with faults (short reads, EAGAIN, resets at
// chosen points) can be put in its place; see LoopAccess::new_loop(). It has the
// calls that move bytes or make connections; what only asks or sets (getsockopt,
// bind) is called as it is.
//
// Each call gives what the kernel gives, or the negative errno; nothing here
// raises SIGPIPE, and nothing is retried: EINTR is the caller's to see.
// Threads: those of the loops that have it.
#ifndef ASYNCIO_LOOP_INTERNAL_SYSTEM_H_
#define ASYNCIO_LOOP_INTERNAL_SYSTEM_H_

#include <cstddef>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace asyncio::internal {

// The kernel's. Another one derives from it, overrides what it wants to change
// and calls these for the rest.
class System {
 public:
  virtual ~System() = default;

  // Of any descriptor.
  virtual ssize_t read(int fd, void* data, size_t size);
  virtual ssize_t write(int fd, const void* data, size_t size);
  virtual ssize_t writev(int fd, const iovec* parts, int count);

  // Of sockets.
  virtual ssize_t recv(int fd, void* data, size_t size, int flags);
  virtual ssize_t send(int fd, const void* data, size_t size, int flags);
  virtual ssize_t recvmsg(int fd, msghdr* message, int flags);
  virtual ssize_t sendmsg(int fd, const msghdr* message, int flags);
  virtual int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags);
  virtual int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags);
  virtual ssize_t sendfile(int to, int from, off_t* offset, size_t count);
  // From a pipe, which is not waited for: what the socket does not take stays
  // there.
  virtual ssize_t splice(int to, int from, size_t count);

  // Descriptors that they make are non-blocking and close-on-exec.
  virtual int socket(int family, int type, int protocol);
  virtual int accept(int fd, sockaddr* address, socklen_t* size);
  virtual int connect(int fd, const sockaddr* address, socklen_t size);
  virtual int shutdown(int fd, int how);
  // Whatever it gives, the descriptor is gone.
  virtual int close(int fd);
};

// The one that loops have unless they are given another.
System& kernel();

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_SYSTEM_H_
