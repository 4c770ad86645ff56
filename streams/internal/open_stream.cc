#include "asyncio/streams/internal/open_stream.h"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"

namespace asyncio::internal {
namespace {

SocketAddress peer_or_none(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(fd, address, &size) != 0) return SocketAddress();
  return SocketAddress::from_sockaddr(address, size);
}

}  // namespace

void set_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || ((flags & O_NONBLOCK) == 0 &&
                    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
    throw_os_error(errno, "fcntl on descriptor " + std::to_string(fd));
  }
}

void set_nodelay(int fd, const SocketAddress& peer) {
  if (peer.family() != AF_INET && peer.family() != AF_INET6) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Ref<Stream> open_stream(EventLoop& loop, int fd, FdTransport::Kind kind,
                        size_t limit, const SocketAddress& peer) {
  if (limit == 0) throw ValueError("Limit cannot be <= 0");
  set_nonblocking(fd);
  return Stream::open(loop, fd, kind, limit, peer);
}

void check_stream_socket(int fd, bool unix_socket) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_STREAM ||
      (unix_socket && SocketAddress::local_of(fd).family() != AF_UNIX)) {
    throw ValueError(
        std::string(unix_socket ? "A UNIX Domain Stream Socket was expected"
                                : "A Stream Socket was expected") +
        ", got descriptor " + std::to_string(fd));
  }
}

Ref<Stream> open_socket_stream(EventLoop& loop, int fd, size_t limit,
                               bool unix_socket) {
  check_stream_socket(fd, unix_socket);
  const SocketAddress peer = peer_or_none(fd);
  set_nodelay(fd, peer);
  return open_stream(loop, fd, FdTransport::Kind::kSocket, limit, peer);
}

}  // namespace asyncio::internal
