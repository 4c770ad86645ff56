// Sockets for tests: connected, listening, non-blocking.
#ifndef ASYNCIO_TESTS_STREAMS_SOCKETS_H_
#define ASYNCIO_TESTS_STREAMS_SOCKETS_H_

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/socket_address.h"

namespace asyncio {

// Two connected ends.
class SocketPair {
 public:
  explicit SocketPair(int type = SOCK_STREAM) {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   ends.data()) != 0) {
      throw_os_error(errno, "socketpair");
    }
    a_.reset(ends[0]);
    b_.reset(ends[1]);
  }

  int a() const { return a_.get(); }
  int b() const { return b_.get(); }
  void close_a() { a_.reset(); }
  void close_b() { b_.reset(); }

 private:
  FileDescriptor a_;
  FileDescriptor b_;
};

// A non-blocking socket that is bound to a free port of 127.0.0.1.
inline FileDescriptor bound_socket(int type) {
  FileDescriptor fd(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const SocketAddress any("127.0.0.1", 0);
  if (!fd || bind(fd.get(), any.data(), any.size()) != 0) {
    throw_os_error(errno, "bind");
  }
  return fd;
}

inline FileDescriptor listening_socket() {
  FileDescriptor fd = bound_socket(SOCK_STREAM);
  if (listen(fd.get(), 100) != 0) throw_os_error(errno, "listen");
  return fd;
}

inline FileDescriptor tcp_socket() {
  return FileDescriptor(
      socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// What is there to be read now.
inline std::string read_now(int fd) {
  std::string data;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t n = read(fd, part.data(), part.size());
    if (n <= 0) return data;
    data.append(part.data(), static_cast<size_t>(n));
  }
}

// `size` bytes of which no two neighbouring pieces are the same.
inline std::string numbered_bytes(size_t size) {
  std::string data;
  for (size_t i = 0; data.size() < size; ++i) data += std::to_string(i) + ",";
  data.resize(size);
  return data;
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_STREAMS_SOCKETS_H_
