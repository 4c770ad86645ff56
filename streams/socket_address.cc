#include "asyncio/streams/socket_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// The size of such an address: one of a path in a directory counts a NUL byte,
// where there is room for it.
socklen_t path_size(std::string_view path) {
  size_t size = path.size();
  if (!path.empty() && path[0] != '\0' &&
      size < sizeof(sockaddr_un::sun_path)) {
    ++size;
  }
  return static_cast<socklen_t>(kPathOffset + size);
}

// What follows the "%" of an IPv6 address: an interface, by name or number.
std::optional<uint32_t> parse_scope(const std::string& scope) {
  if (uint32_t index = if_nametoindex(scope.c_str())) return index;
  uint32_t index = 0;
  const char* end = scope.data() + scope.size();
  auto [stop, error] = std::from_chars(scope.data(), end, index);
  if (error != std::errc() || stop != end) return std::nullopt;
  return index;
}

std::string scope_name(uint32_t index) {
  std::array<char, IF_NAMESIZE> name;
  if (if_indextoname(index, name.data()) != nullptr) return name.data();
  return std::to_string(index);
}

}  // namespace

SocketAddress::SocketAddress(std::string_view host, uint16_t port) {
  std::optional<SocketAddress> address = parse(host, port);
  if (!address) {
    throw ValueError("'" + std::string(host) +
                     "' does not appear to be an IPv4 or IPv6 address");
  }
  *this = *address;
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view host,
                                                  uint16_t port) {
  // inet_pton() would stop at it.
  if (host.find('\0') != std::string_view::npos) return std::nullopt;
  SocketAddress address;
  const std::string text(host);
  sockaddr_in v4 = {};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.address_.v4 = v4;
    address.size_ = sizeof(v4);
    return address;
  }
  const size_t percent = text.find('%');
  sockaddr_in6 v6 = {};
  if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6.sin6_addr) !=
      1) {
    return std::nullopt;
  }
  if (percent != std::string::npos) {
    std::optional<uint32_t> scope = parse_scope(text.substr(percent + 1));
    if (!scope) return std::nullopt;
    v6.sin6_scope_id = *scope;
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  address.address_.v6 = v6;
  address.size_ = sizeof(v6);
  return address;
}

SocketAddress SocketAddress::from_path(std::string_view path) {
  SocketAddress address;
  sockaddr_un& local = address.address_.local;
  const bool abstract = path.starts_with('\0');
  // A path in a directory ends with a NUL byte.
  if (path.size() + (abstract ? 0 : 1) > sizeof(local.sun_path)) {
    throw OSError("AF_UNIX path too long");
  }
  if (!abstract && path.find('\0') != std::string_view::npos) {
    throw ValueError("embedded null byte");
  }
  local.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), local.sun_path);
  address.size_ = path_size(path);
  return address;
}

SocketAddress SocketAddress::from_sockaddr(const sockaddr* source,
                                           socklen_t size) {
  SocketAddress address;
  if (source == nullptr || size < sizeof(source->sa_family)) return address;
  switch (source->sa_family) {
    case AF_UNSPEC:
      return address;
    case AF_INET: {
      sockaddr_in v4 = {};
      std::memcpy(&v4, source, std::min<size_t>(size, sizeof(v4)));
      std::memset(v4.sin_zero, 0, sizeof(v4.sin_zero));
      address.address_.v4 = v4;
      address.size_ = sizeof(v4);
      return address;
    }
    case AF_INET6: {
      sockaddr_in6 v6 = {};
      std::memcpy(&v6, source, std::min<size_t>(size, sizeof(v6)));
      address.address_.v6 = v6;
      address.size_ = sizeof(v6);
      return address;
    }
    case AF_UNIX: {
      // The kernel's size may or may not count the NUL byte at the end.
      const sockaddr_un* local = reinterpret_cast<const sockaddr_un*>(source);
      std::string_view path;
      if (size > kPathOffset) {
        path = std::string_view(
            local->sun_path,
            std::min<size_t>(size - kPathOffset, sizeof(local->sun_path)));
      }
      if (!path.starts_with('\0')) path = path.substr(0, path.find('\0'));
      // A path may fill sun_path to its last byte, and then has no NUL.
      address.address_.local.sun_family = AF_UNIX;
      std::copy(path.begin(), path.end(), address.address_.local.sun_path);
      address.size_ = path_size(path);
      return address;
    }
    default:
      if (size > sizeof(address.address_)) {
        throw ValueError("socket address too long");
      }
      std::memcpy(address.address_.bytes, source, size);
      address.size_ = size;
      return address;
  }
}

SocketAddress SocketAddress::local_of(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    throw_os_error(errno, "getsockname");
  }
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

SocketAddress SocketAddress::peer_of(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof(storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    throw_os_error(errno, "getpeername");
  }
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

std::string SocketAddress::host() const {
  std::array<char, INET6_ADDRSTRLEN> text;
  const void* source = nullptr;
  if (family() == AF_INET) source = &address_.v4.sin_addr;
  if (family() == AF_INET6) source = &address_.v6.sin6_addr;
  if (source == nullptr) return {};
  return inet_ntop(family(), source, text.data(), text.size());
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(address_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(address_.v6.sin6_port);
  return 0;
}

uint32_t SocketAddress::scope_id() const {
  return family() == AF_INET6 ? address_.v6.sin6_scope_id : 0;
}

uint32_t SocketAddress::flow_info() const {
  return family() == AF_INET6 ? ntohl(address_.v6.sin6_flowinfo) : 0;
}

std::string SocketAddress::path() const {
  if (family() != AF_UNIX || size_ <= kPathOffset) return {};
  std::string path(address_.local.sun_path, size_ - kPathOffset);
  if (path[0] != '\0' && path.back() == '\0') path.pop_back();
  return path;
}

std::string SocketAddress::to_string() const {
  switch (family()) {
    case AF_UNSPEC:
      return {};
    case AF_INET:
      return host() + ":" + std::to_string(port());
    case AF_INET6: {
      std::string text = "[" + host();
      if (scope_id() != 0) text += "%" + scope_name(scope_id());
      return text + "]:" + std::to_string(port());
    }
    case AF_UNIX: {
      // What ss(8) and others write for an abstract one.
      std::string text = path();
      if (text.starts_with('\0')) text[0] = '@';
      return text;
    }
    default:
      return "address of family " + std::to_string(family());
  }
}

std::ostream& operator<<(std::ostream& out, const SocketAddress& address) {
  return out << address.to_string();
}

}  // namespace asyncio
