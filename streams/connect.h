// open_connection, open_unix_connection: a stream connection, as a reader and a
// writer.
//
//   auto [reader, writer] = co_await open_connection("example.org", 80);
//
//   Connection c = co_await open_connection(
//       "example.org", 80, {.happy_eyeballs_delay = 250ms});
//
// The addresses of the host are tried one after the other, in the order of
// getaddrinfo(). With `happy_eyeballs_delay` (RFC 8305) the next one is tried
// when one has failed or has taken that long, beside those under way, IPv4 and
// IPv6 in turns; the first that is there wins.
//
// Errors: the OSError of the one address, or of all where they say the same;
// else an OSError "Multiple exceptions: ..."; with `all_errors` always an
// ExceptionGroup of each. gaierror of the look-up.
// Cancellation: at once; whatever socket there is is closed.
// Lifetime: arguments are copied at the call.
// Threads: the loop's.
#ifndef ASYNCIO_STREAMS_CONNECT_H_
#define ASYNCIO_STREAMS_CONNECT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/socket.h>

#include "asyncio/base/time.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

struct ConnectionOptions {
  size_t limit = kDefaultLimit;  // see StreamReader; ValueError for zero
  int family = AF_UNSPEC;        // AF_INET, AF_INET6: these addresses alone
  int proto = 0;                 // of getaddrinfo()
  int flags = 0;                 // of getaddrinfo()
  int sock = -1;                 // a connected stream socket
  std::optional<SocketAddress> local_addr = {};  // to connect from
  std::optional<Duration> happy_eyeballs_delay = {};
  // How many addresses of the first family come before the families take turns;
  // 0: as getaddrinfo() has them. Empty: 1 with happy_eyeballs_delay, else 0.
  std::optional<size_t> interleave = {};
  bool all_errors = false;
};

struct UnixConnectionOptions {
  size_t limit = kDefaultLimit;
  int sock = -1;
};

Coroutine<Connection> open_connection(std::string_view host, uint16_t port,
                                      ConnectionOptions options = {});
// The connection of `options.sock`, which it takes over; where it throws, that
// stays the caller's.
Coroutine<Connection> open_connection(ConnectionOptions options);

// To the Unix socket at `path`; one that begins with a NUL byte is abstract.
// While the server's queue is full it tries again.
Coroutine<Connection> open_unix_connection(std::string_view path,
                                           UnixConnectionOptions options = {});
Coroutine<Connection> open_unix_connection(UnixConnectionOptions options);

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_CONNECT_H_
