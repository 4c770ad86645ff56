// SocketAddress: the address of a socket, as the kernel knows it.
//
//   SocketAddress local("127.0.0.1", 8080);
//   SocketAddress link_local("fe80::1%eth0", 80);
//   SocketAddress path = SocketAddress::from_path("/run/app.sock");
//
//   SocketAddress peer = SocketAddress::peer_of(fd);
//   peer.host(), peer.port();    // "10.0.0.7", 51712
//   peer.to_string();            // "10.0.0.7:51712"
//
// A host is a numeric address here, never a name: names are looked up by
// getaddrinfo(). A path that begins with a NUL byte is an abstract one (Linux):
// it is in no directory, and ends with its last socket.
//
// Order: addresses are ordered somehow, the same way in every run.
// Threads: a value; it may be used on any.
// Cost: 120 bytes, trivially copyable; nothing allocates but the texts.
#ifndef ASYNCIO_STREAMS_SOCKET_ADDRESS_H_
#define ASYNCIO_STREAMS_SOCKET_ADDRESS_H_

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>

namespace asyncio {

class SocketAddress {
 public:
  // No address: its family is AF_UNSPEC, and to_string() is empty.
  SocketAddress() = default;
  // ValueError where `host` is no numeric IPv4 or IPv6 address.
  SocketAddress(std::string_view host, uint16_t port);

  // The same; empty where it is none.
  static std::optional<SocketAddress> parse(std::string_view host,
                                            uint16_t port);
  // OSError("AF_UNIX path too long"), ValueError("embedded null byte")
  static SocketAddress from_path(std::string_view path);
  // What a system call filled in, of any family. ValueError where it is longer
  // than any that this class can keep.
  static SocketAddress from_sockaddr(const sockaddr* address, socklen_t size);
  // Of an open socket: its own, and the one it is connected to. OSError; an
  // empty one where the socket has no name.
  static SocketAddress local_of(int fd);
  static SocketAddress peer_of(int fd);

  // AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC; or another one, of from_sockaddr().
  int family() const { return address_.base.sa_family; }
  // Whether there is one.
  explicit operator bool() const { return size_ != 0; }

  // "127.0.0.1", "::1", without the scope; empty where it is no internet
  // address.
  std::string host() const;
  uint16_t port() const;
  // IPv6: the number of the interface that a link-local address belongs to.
  uint32_t scope_id() const;
  uint32_t flow_info() const;
  // Of a Unix socket; empty where that has no name.
  std::string path() const;

  // "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "/run/app.sock",
  // "@abstract": for people, and for the texts of errors.
  std::string to_string() const;

  // For system calls.
  const sockaddr* data() const { return &address_.base; }
  socklen_t size() const { return size_; }

  friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
    return a.bytes() == b.bytes();
  }
  friend std::strong_ordering operator<=>(const SocketAddress& a,
                                          const SocketAddress& b) {
    return a.bytes() <=> b.bytes();
  }
  template <class H>
  friend H AbslHashValue(H state, const SocketAddress& address) {
    return H::combine(std::move(state), address.bytes());
  }
  friend std::ostream& operator<<(std::ostream& out,
                                  const SocketAddress& address);

 private:
  union Storage {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
    char bytes[sizeof(sockaddr_un)];
  };

  // Equal for equal addresses: what a sockaddr pads with is zero here.
  std::string_view bytes() const { return {address_.bytes, size_}; }

  Storage address_ = {.bytes = {}};
  socklen_t size_ = 0;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SOCKET_ADDRESS_H_
