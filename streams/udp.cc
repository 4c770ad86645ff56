#include "asyncio/streams/udp.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/internal/datagram_socket.h"
#include "asyncio/streams/internal/owned_bytes.h"
#include "asyncio/streams/internal/turn_line.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

using internal::DatagramSocket;
using internal::Ref;
using internal::Turn;

namespace {

Coroutine<Datagram> run_recv(Ref<DatagramSocket> socket) {
  Turn turn;
  for (;;) {
    std::optional<Datagram> datagram = socket->try_recv();
    if (datagram) co_return *std::move(datagram);
    co_await turn.in(socket->readers());
  }
}

Coroutine<std::optional<Datagram>> run_next(Ref<DatagramSocket> socket) {
  Turn turn;
  while (!socket->closed()) {
    std::optional<Datagram> datagram = socket->try_recv();
    if (datagram) co_return datagram;
    co_await turn.in(socket->readers());
  }
  co_return std::nullopt;
}

Coroutine<std::vector<Datagram>> run_recv_many(Ref<DatagramSocket> socket,
                                               size_t max) {
  std::vector<Datagram> all;
  if (max == 0) co_return all;
  all.push_back(co_await run_recv(socket));
  while (all.size() < max) {
    std::optional<Datagram> datagram = socket->take_received();
    if (!datagram) break;
    all.push_back(*std::move(datagram));
  }
  co_return all;
}

Coroutine<> run_send(Ref<DatagramSocket> socket, internal::OwnedBytes data,
                     SocketAddress address) {
  Turn turn;
  while (!socket->try_send(data.view(), address)) {
    co_await turn.in(socket->writers());
  }
}

Coroutine<> run_send_many(Ref<DatagramSocket> socket,
                          std::vector<Datagram> datagrams) {
  for (const Datagram& datagram : datagrams) {
    socket->check_address(datagram.address);
  }
  Turn turn;
  for (std::span<const Datagram> rest = datagrams; !rest.empty();) {
    const size_t sent = socket->try_send_many(rest);
    rest = rest.subspan(sent);
    if (sent == 0) co_await turn.in(socket->writers());
  }
}

void set_option(int fd, int option, int value, const char* name) {
  if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) != 0) {
    throw_os_error(errno, std::string("setsockopt ") + name);
  }
}

// A socket that nobody listens at any more, of a program that has ended.
void remove_stale_socket(const SocketAddress& address) {
  const std::string path = address.path();
  if (path.empty() || path[0] == '\0') return;
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    unlink(path.c_str());
  }
}

DatagramEndpoint endpoint_on(int fd, const DatagramOptions& options,
                             const SocketAddress& remote, bool connected) {
  if (options.max_size == 0) throw ValueError("max_size must be positive");
  return DatagramEndpoint(Ref<DatagramSocket>(new DatagramSocket(
      get_running_loop(), fd, options.max_size, remote, connected)));
}

DatagramEndpoint open_endpoint(const DatagramOptions& options) {
  int family = options.family;
  for (const SocketAddress& address :
       {options.local_addr, options.remote_addr}) {
    if (!address) continue;
    if (family != AF_UNSPEC && family != address.family()) {
      throw ValueError("can not get address information");
    }
    family = address.family();
  }
  if (family == AF_UNSPEC) throw ValueError("unexpected address family");
  internal::System& system = internal::LoopAccess::system(get_running_loop());
  FileDescriptor fd(system.socket(family, SOCK_DGRAM, options.proto));
  // What is no descriptor is a negative errno.
  if (!fd) throw_os_error(-fd.get(), "socket");
  if (options.reuse_port) set_option(fd.get(), SO_REUSEPORT, 1, "SO_REUSEPORT");
  if (options.reuse_address) {
    set_option(fd.get(), SO_REUSEADDR, 1, "SO_REUSEADDR");
  }
  if (options.allow_broadcast) {
    set_option(fd.get(), SO_BROADCAST, 1, "SO_BROADCAST");
  }
  if (options.receive_buffer > 0) {
    set_option(fd.get(), SO_RCVBUF, options.receive_buffer, "SO_RCVBUF");
  }
  if (options.send_buffer > 0) {
    set_option(fd.get(), SO_SNDBUF, options.send_buffer, "SO_SNDBUF");
  }
  const SocketAddress& local = options.local_addr;
  if (local) {
    if (family == AF_UNIX) remove_stale_socket(local);
    if (bind(fd.get(), local.data(), local.size()) != 0) {
      throw_os_error(errno, "bind " + local.to_string());
    }
  }
  const SocketAddress& remote = options.remote_addr;
  const bool connected = remote && !options.allow_broadcast;
  if (connected) {
    const int error = -system.connect(fd.get(), remote.data(), remote.size());
    if (error > 0) throw_os_error(error, "connect to " + remote.to_string());
  }
  DatagramEndpoint endpoint = endpoint_on(fd.get(), options, remote, connected);
  fd.release();
  return endpoint;
}

DatagramEndpoint adopt_endpoint(const DatagramOptions& options) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(options.sock, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type == SOCK_STREAM) {
    throw ValueError("A datagram socket was expected, got descriptor " +
                     std::to_string(options.sock));
  }
  if (options.local_addr || options.remote_addr ||
      options.family != AF_UNSPEC || options.proto != 0 || options.flags != 0 ||
      options.reuse_port || options.reuse_address || options.allow_broadcast ||
      options.receive_buffer != 0 || options.send_buffer != 0) {
    throw ValueError(
        "socket modifier keyword arguments can not be used when sock is "
        "specified.");
  }
  const int flags = fcntl(options.sock, F_GETFL);
  if (flags < 0 || fcntl(options.sock, F_SETFL, flags | O_NONBLOCK) < 0) {
    throw_os_error(errno,
                   "fcntl on descriptor " + std::to_string(options.sock));
  }
  SocketAddress remote;
  try {
    remote = SocketAddress::peer_of(options.sock);
  } catch (const OSError&) {
    // It is not connected.
  }
  return endpoint_on(options.sock, options, remote, bool(remote));
}

Coroutine<DatagramEndpoint> connect_to_host(std::string host, uint16_t port,
                                            DatagramOptions options) {
  if (options.family == AF_UNSPEC) {
    options.family = options.local_addr.family();
  }
  std::vector<AddrInfo> infos = co_await getaddrinfo(host, port,
                                                     {.family = options.family,
                                                      .type = SOCK_DGRAM,
                                                      .proto = options.proto,
                                                      .flags = options.flags});
  if (infos.empty()) throw OSError("getaddrinfo() returned empty list");
  std::exception_ptr first;
  for (const AddrInfo& info : infos) {
    options.family = info.family;
    options.remote_addr = info.address;
    try {
      co_return open_endpoint(options);
    } catch (const OSError&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

}  // namespace

Coroutine<Datagram> DatagramEndpoint::recv() const { return run_recv(socket_); }

Coroutine<std::optional<Datagram>> DatagramEndpoint::next() const {
  return run_next(socket_);
}

Coroutine<std::vector<Datagram>> DatagramEndpoint::recv_many(size_t max) const {
  return run_recv_many(socket_, max);
}

Coroutine<> DatagramEndpoint::send(internal::OwnedBytes data,
                                   SocketAddress address) const {
  return run_send(socket_, std::move(data), address);
}

Coroutine<> DatagramEndpoint::send_many(std::vector<Datagram> datagrams) const {
  return run_send_many(socket_, std::move(datagrams));
}

Coroutine<DatagramEndpoint> create_datagram_endpoint(DatagramOptions options) {
  if (options.sock >= 0) co_return adopt_endpoint(options);
  co_return open_endpoint(options);
}

Coroutine<DatagramEndpoint> create_datagram_endpoint(std::string_view host,
                                                     uint16_t port,
                                                     DatagramOptions options) {
  return connect_to_host(std::string(host), port, options);
}

}  // namespace asyncio
