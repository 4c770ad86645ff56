#include "asyncio/streams/connect.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/internal/connect_any.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"

namespace asyncio {
namespace {

using internal::FdTransport;
using internal::LoopAccess;
using internal::Ref;
using internal::Stream;
using internal::System;
using std::chrono::milliseconds;

constexpr Duration kFirstRetryDelay = milliseconds(1);
constexpr Duration kLongestRetryDelay = milliseconds(50);

void check_limit(size_t limit) {
  if (limit == 0) throw ValueError("Limit cannot be <= 0");
}

Connection connection_of(const Ref<Stream>& stream) {
  return Connection(StreamReader(stream), StreamWriter(stream));
}

Connection open_connected(EventLoop& loop, FileDescriptor fd,
                          const SocketAddress& peer, size_t limit) {
  internal::set_nodelay(fd.get(), peer);
  Ref<Stream> stream =
      Stream::open(loop, fd.get(), FdTransport::Kind::kSocket, limit, peer);
  fd.release();
  return connection_of(stream);
}

// While the server's queue is full it tries again: nothing tells when it is not.
Coroutine<> connect_unix_socket(int fd, SocketAddress address) {
  Duration delay = kFirstRetryDelay;
  for (;;) {
    const Result<> end = co_await as_result(sock_connect(fd, address));
    if (end.get_if<BlockingIOError>() == nullptr) {
      end.rethrow();
      co_return;
    }
    co_await sleep(delay);
    delay = std::min(delay + delay, kLongestRetryDelay);
  }
}

Coroutine<Connection> connect_to_host(std::string host, uint16_t port,
                                      ConnectionOptions options) {
  check_limit(options.limit);
  if (options.sock >= 0) {
    throw ValueError(
        "host/port and sock can not be specified at the same time");
  }
  EventLoop& loop = get_running_loop();
  AddrInfoOptions asked;
  asked.family = options.family;
  asked.type = SOCK_STREAM;
  asked.proto = options.proto;
  asked.flags = options.flags;
  std::vector<AddrInfo> infos = co_await getaddrinfo(host, port, asked);
  if (infos.empty()) throw OSError("getaddrinfo() returned empty list");
  internal::ConnectAnyOptions how;
  how.local_addr = options.local_addr;
  how.happy_eyeballs_delay = options.happy_eyeballs_delay;
  how.interleave =
      options.interleave.value_or(options.happy_eyeballs_delay ? 1 : 0);
  how.all_errors = options.all_errors;
  internal::Connected connected =
      co_await internal::connect_any(std::move(infos), how);
  co_return open_connected(loop, std::move(connected.fd), connected.peer,
                           options.limit);
}

Coroutine<Connection> connect_to_path(std::string path,
                                      UnixConnectionOptions options) {
  check_limit(options.limit);
  if (options.sock >= 0) {
    throw ValueError("path and sock can not be specified at the same time");
  }
  EventLoop& loop = get_running_loop();
  const SocketAddress address = SocketAddress::from_path(path);
  System& system = LoopAccess::system(loop);
  const int made = system.socket(AF_UNIX, SOCK_STREAM, 0);
  if (made < 0) throw_os_error(-made, "socket for " + address.to_string());
  FileDescriptor fd(made);
  co_await connect_unix_socket(made, address);
  Connection connection =
      open_connected(loop, std::move(fd), address, options.limit);
  // The kernel connects at once: others have their turn all the same.
  co_await sleep(Duration::zero());
  co_return connection;
}

Coroutine<Connection> open_given(int sock, size_t limit, bool unix_socket,
                                 const char* missing) {
  check_limit(limit);
  if (sock < 0) throw ValueError(missing);
  co_return connection_of(
      internal::open_socket_stream(get_running_loop(), sock, limit, unix_socket));
}

}  // namespace

Coroutine<Connection> open_connection(std::string_view host, uint16_t port,
                                      ConnectionOptions options) {
  return connect_to_host(std::string(host), port, options);
}

Coroutine<Connection> open_connection(ConnectionOptions options) {
  return open_given(options.sock, options.limit, /*unix_socket=*/false,
                    "host and port was not specified and no sock specified");
}

Coroutine<Connection> open_unix_connection(std::string_view path,
                                           UnixConnectionOptions options) {
  return connect_to_path(std::string(path), options);
}

Coroutine<Connection> open_unix_connection(UnixConnectionOptions options) {
  return open_given(options.sock, options.limit, /*unix_socket=*/true,
                    "no path and sock were specified");
}

}  // namespace asyncio
