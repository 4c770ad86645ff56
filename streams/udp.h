// DatagramEndpoint: sends and receives datagrams: UDP, and Unix datagrams.
//
//   DatagramEndpoint server =
//       co_await create_datagram_endpoint({.local_addr = {"0.0.0.0", 9999}});
//   for (;;) {
//     auto [data, peer] = co_await server.recv();
//     co_await server.send(std::move(data), peer);
//   }
//
//   DatagramEndpoint client =
//       co_await create_datagram_endpoint("localhost", 9999);
//   co_await client.send("hello");
//
// With a remote address it is connected: it sends to that one and receives from
// it alone.
//
// Datagrams come whole, in the order in which the kernel has them, or not at
// all. What nobody has received yet waits in the kernel's queue, whose size is
// the socket's receive buffer; when that is full, what comes is dropped, and
// counted by dropped(). They are taken from it by dozens.
//
// Order: of several tasks that receive, first come, first served; the same of
// those that wait to send.
// Errors: a peer that refuses datagrams (ECONNREFUSED) is told to the next
// send() or recv() of a connected endpoint, which works on after it; the
// datagram that was to be sent then was not.
// Cancellation: at once; no datagram is lost, and none is sent.
// Lifetime: a handle, move-only, null when default-constructed. Destroying it
// closes the socket. An operation that is under way keeps what it needs, and
// throws when the endpoint is closed.
// Threads: the loop's; RuntimeError of a wait in a task of another.
// Cost: a wait that is not the first enters the kernel for nothing but the
// wait.
#ifndef ASYNCIO_STREAMS_UDP_H_
#define ASYNCIO_STREAMS_UDP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "asyncio/base/internal/ref.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/internal/datagram_socket.h"
#include "asyncio/streams/internal/owned_bytes.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

struct DatagramOptions {
  SocketAddress local_addr = {};   // to receive at; none: the kernel's choice
  SocketAddress remote_addr = {};  // to be connected to
  int family = AF_UNSPEC;  // needed where there is neither; of getaddrinfo()
  int proto = 0;
  int flags = 0;                 // of getaddrinfo()
  bool reuse_port = false;       // SO_REUSEPORT: several sockets at one address
  bool reuse_address = false;    // SO_REUSEADDR: the same, for multicast
  bool allow_broadcast = false;  // SO_BROADCAST; it is not connected then
  int receive_buffer = 0;        // SO_RCVBUF, in bytes; 0: the system's
  int send_buffer = 0;           // SO_SNDBUF
  // Longer ones are cut off. UDP has none that are longer.
  size_t max_size = 64 * 1024;
  int sock = -1;  // a datagram socket, taken over; nothing above but max_size
};

class DatagramEndpoint {
 public:
  DatagramEndpoint() = default;
  DatagramEndpoint(DatagramEndpoint&&) noexcept = default;
  DatagramEndpoint& operator=(DatagramEndpoint&& other) noexcept {
    if (this != &other) {
      reset();
      socket_ = std::move(other.socket_);
    }
    return *this;
  }
  ~DatagramEndpoint() { reset(); }

  // -> the next datagram, and who sent it.
  // RuntimeError("the datagram endpoint is closed"), also while it waits.
  Coroutine<Datagram> recv() const;
  // -> the same; empty when the endpoint is closed.
  Coroutine<std::optional<Datagram>> next() const;
  // -> what one call of the kernel gives: at least one, at most `max` and 32.
  Coroutine<std::vector<Datagram>> recv_many(size_t max = 32) const;
  // What is there now.
  std::optional<Datagram> try_recv() const { return socket_->try_recv(); }

  // Waits while the kernel's buffer is full. The data is copied at the call; a
  // std::string is moved in. Without an address: to the remote one.
  // ValueError for another address than that one.
  Coroutine<> send(internal::OwnedBytes data, SocketAddress address = {}) const;
  // Sends them in their order, by dozens. Where it throws, those before the
  // refused one were sent.
  Coroutine<> send_many(std::vector<Datagram> datagrams) const;
  // False where the kernel's buffer is full.
  bool try_send(std::string_view data, SocketAddress address = {}) const {
    return socket_->try_send(data, address);
  }

  // Who is in it hears `group`'s datagrams, on the interface of that name
  // ("eth0"), or on one that the kernel chooses.
  void join_group(const SocketAddress& group,
                  std::string_view interface = {}) const {
    socket_->change_group(group, interface, true);
  }
  void leave_group(const SocketAddress& group,
                   std::string_view interface = {}) const {
    socket_->change_group(group, interface, false);
  }
  // By which multicast is sent.
  void set_multicast_interface(std::string_view interface) const {
    socket_->set_multicast_interface(interface);
  }
  // How many routers it may pass: 1 unless set.
  void set_multicast_ttl(int ttl) const { socket_->set_multicast_ttl(ttl); }
  // Whether this machine hears its own; it does unless set.
  void set_multicast_loop(bool loop) const {
    socket_->set_multicast_loop(loop);
  }
  void set_ttl(int ttl) const { socket_->set_ttl(ttl); }
  void set_broadcast(bool allow) const { socket_->set_broadcast(allow); }

  // How many were dropped because the receive buffer was full.
  uint64_t dropped() const { return socket_->dropped(); }

  SocketAddress sockname() const { return socket_->sockname(); }
  // None where it is not connected.
  SocketAddress peername() const { return socket_->remote(); }
  // For setsockopt(); -1 when it is closed.
  int fd() const { return socket_->descriptor(); }

  // At once. What was not received is dropped; who waits is told.
  void close() const { socket_->close(); }
  bool is_closing() const { return socket_->closed(); }

  explicit operator bool() const { return static_cast<bool>(socket_); }

  // For the library.
  explicit DatagramEndpoint(internal::Ref<internal::DatagramSocket> socket)
      : socket_(std::move(socket)) {}

 private:
  void reset() {
    if (!socket_) return;
    socket_->close_unchecked();
    socket_ = nullptr;
  }

  internal::Ref<internal::DatagramSocket> socket_;
};

Coroutine<DatagramEndpoint> create_datagram_endpoint(DatagramOptions options);
// Connected to the first address of the host that can be.
Coroutine<DatagramEndpoint> create_datagram_endpoint(
    std::string_view host, uint16_t port, DatagramOptions options = {});

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_UDP_H_
