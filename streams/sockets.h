// sock_recv and its like: operations on descriptors of one's own, without a
// stream.
//
//   FileDescriptor listener = ...;                 // non-blocking, listening
//   auto [connection, peer] = co_await sock_accept(listener.get());
//   std::string data = co_await sock_recv(connection.get(), 4096);
//   co_await sock_sendall(connection.get(), data);
//
// The descriptor is non-blocking and stays the caller's, open until the
// operation is done. No transport, and no add_reader() of one's own, uses it at
// the same time.
//
// Each is tried at once, and waits only where it would block. It works by
// itself in the task that awaits it, when that has its turn: what is read is
// never on its way anywhere else.
//
// Order: of several tasks that wait to do the same with one descriptor, first
// come, first served.
// Cancellation: at once, and nothing is lost: a cancelled read took no byte, a
// cancelled accept no connection. A cancelled sock_sendall() or sock_sendfile()
// may have sent a part.
// Errors: what the kernel says, as OSError. EINTR is none, nor is SIGPIPE
// raised.
// Debug mode: ValueError("the socket must be non-blocking") where it is not.
// Cost: a wait is two system calls (descriptors are watched only while somebody
// waits, so that they can be closed at any other time).
#ifndef ASYNCIO_STREAMS_SOCKETS_H_
#define ASYNCIO_STREAMS_SOCKETS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/internal/owned_bytes.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

// A Datagram with its data in the caller's memory.
class DatagramInto {
 public:
  DatagramInto(size_t size, SocketAddress address)
      : size(size), address(address) {}

  size_t size;
  SocketAddress address;
};

class Accepted {
 public:
  Accepted(FileDescriptor connection, SocketAddress address)
      : connection(std::move(connection)), address(address) {}

  FileDescriptor connection;  // non-blocking, closed on exec
  SocketAddress address;      // of the peer
};

// -> what is there, at most `n` bytes; empty at the end of the stream.
Coroutine<std::string> sock_recv(int fd, size_t n);

// -> how many bytes are in `buffer` now, which the caller keeps meanwhile; 0 at
// the end of the stream.
Coroutine<size_t> sock_recv_into(int fd, std::span<std::byte> buffer);
Coroutine<size_t> sock_recv_into(int fd, std::span<char> buffer);

// -> the next message, cut off after `n` bytes.
Coroutine<Datagram> sock_recvfrom(int fd, size_t n);
Coroutine<DatagramInto> sock_recvfrom_into(int fd, std::span<std::byte> buffer);
Coroutine<DatagramInto> sock_recvfrom_into(int fd, std::span<char> buffer);

// Sends it all. The data is copied at the call; a std::string is moved in.
Coroutine<> sock_sendall(int fd, internal::OwnedBytes data);

// Sends one message. -> how many bytes of it went.
Coroutine<size_t> sock_sendto(int fd, internal::OwnedBytes data,
                              SocketAddress address);

// -> the next connection of a listening socket.
Coroutine<Accepted> sock_accept(int fd);

// After a failure or a cancellation the socket can only be closed.
Coroutine<> sock_connect(int fd, SocketAddress address);
// Looks the host up, and takes the first address that the socket's family fits.
Coroutine<> sock_connect(int fd, std::string_view host, uint16_t port);

struct SendfileOptions {
  int64_t offset = 0;                 // where in the file to begin
  std::optional<int64_t> count = {};  // empty: to the end of the file
  // Where the kernel cannot send the file by itself, it is read on the default
  // executor and sent as by sock_sendall(), a pipe by splice(); else
  // SendfileNotAvailableError.
  bool fallback = true;
};

namespace internal {
// ValueError for a bad offset or count.
void check_sendfile_options(const SendfileOptions& options);
}  // namespace internal

// Sends a file over a connected stream socket. -> how many bytes that were. In
// every case the file's position is behind the last byte that was sent, and what
// was not sent is still in the pipe. (Of what has no position and is no pipe, a
// terminal or a socket, a block may be lost to a cancellation.)
// ValueError for a bad offset or count, and another kind of socket.
Coroutine<int64_t> sock_sendfile(int fd, int file,
                                 SendfileOptions options = {});

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SOCKETS_H_
