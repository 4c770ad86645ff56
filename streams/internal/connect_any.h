// connect_any: a new socket, connected to one of several addresses.
//
// The addresses are tried one after the other, or, with `happy_eyeballs_delay`
// (RFC 8305), the next one beside those under way where the one before it has
// failed or has had that long. The first that is connected wins.
//
// Errors: the OSErrors of all, in the order of the addresses: see
// open_connection().
// Cancellation: at once; the sockets are closed. When it returns, the winner's
// is the only one that is open.
#ifndef ASYNCIO_STREAMS_INTERNAL_CONNECT_ANY_H_
#define ASYNCIO_STREAMS_INTERNAL_CONNECT_ANY_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "asyncio/base/time.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"

namespace asyncio::internal {

struct ConnectAnyOptions {
  std::optional<SocketAddress> local_addr = {};
  std::optional<Duration> happy_eyeballs_delay = {};
  size_t interleave = 0;
  bool all_errors = false;
};

class Connected {
 public:
  Connected(FileDescriptor fd, const SocketAddress& peer)
      : fd(std::move(fd)), peer(peer) {}

  FileDescriptor fd;
  SocketAddress peer;
};

// `infos` is not empty.
Coroutine<Connected> connect_any(std::vector<AddrInfo> infos,
                                 ConnectAnyOptions options);

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_CONNECT_ANY_H_
