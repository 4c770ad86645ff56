#include "asyncio/streams/socket_address.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <type_traits>
#include <unistd.h>

#include "absl/container/flat_hash_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

using namespace std::string_view_literals;

static_assert(std::is_trivially_copyable_v<SocketAddress>);
static_assert(std::is_trivially_destructible_v<SocketAddress>);

std::string copy_of(const SocketAddress& address) {
  return SocketAddress::from_sockaddr(address.data(), address.size())
      .to_string();
}

TEST(SocketAddressTest, NoneIsNoneAndHasNoText) {
  const SocketAddress none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.family(), AF_UNSPEC);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.host(), "");
  EXPECT_EQ(none.port(), 0);
  EXPECT_EQ(none.path(), "");
  EXPECT_EQ(none.to_string(), "");
  EXPECT_EQ(SocketAddress::from_sockaddr(nullptr, 0), none);
}

TEST(SocketAddressTest, V4) {
  const SocketAddress address("192.0.2.7", 8080);
  EXPECT_TRUE(address);
  EXPECT_EQ(address.family(), AF_INET);
  EXPECT_EQ(address.host(), "192.0.2.7");
  EXPECT_EQ(address.port(), 8080);
  EXPECT_EQ(address.path(), "");
  EXPECT_EQ(address.to_string(), "192.0.2.7:8080");
  EXPECT_EQ(address.size(), sizeof(sockaddr_in));
  EXPECT_EQ(copy_of(address), "192.0.2.7:8080");
}

TEST(SocketAddressTest, V6) {
  const SocketAddress address("2001:DB8::0:1", 65535);
  EXPECT_EQ(address.family(), AF_INET6);
  EXPECT_EQ(address.host(), "2001:db8::1");
  EXPECT_EQ(address.port(), 65535);
  EXPECT_EQ(address.scope_id(), 0u);
  EXPECT_EQ(address.flow_info(), 0u);
  EXPECT_EQ(address.to_string(), "[2001:db8::1]:65535");
  EXPECT_EQ(copy_of(address), "[2001:db8::1]:65535");
}

TEST(SocketAddressTest, TheScopeIsAnInterfaceByNumberOrName) {
  const SocketAddress address("fe80::1%4294967295", 80);
  EXPECT_EQ(address.scope_id(), 4294967295u);
  EXPECT_EQ(address.host(), "fe80::1");
  EXPECT_EQ(address.to_string(), "[fe80::1%4294967295]:80");
  EXPECT_EQ(SocketAddress("fe80::1%lo", 80).to_string(), "[fe80::1%lo]:80");
  EXPECT_NE(address, SocketAddress("fe80::1", 80));
  EXPECT_FALSE(SocketAddress::parse("fe80::1%no such interface", 80));
  EXPECT_FALSE(SocketAddress::parse("fe80::1%", 80));
}

TEST(SocketAddressTest, WhatIsNoNumericAddressIsRefused) {
  for (std::string_view host :
       {""sv, "localhost"sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "::g"sv,
        "[::1]"sv, " 127.0.0.1"sv, "127.0.0.1%lo"sv, "127.0.0.1\0x"sv}) {
    EXPECT_FALSE(SocketAddress::parse(host, 1)) << host;
  }
  try {
    SocketAddress("localhost", 80);
    ADD_FAILURE();
  } catch (const ValueError& e) {
    EXPECT_STREQ(e.what(),
                 "'localhost' does not appear to be an IPv4 or IPv6 address");
  }
}

TEST(SocketAddressTest, Path) {
  const SocketAddress address = SocketAddress::from_path("/run/app.sock");
  EXPECT_EQ(address.family(), AF_UNIX);
  EXPECT_EQ(address.path(), "/run/app.sock");
  EXPECT_EQ(address.host(), "");
  EXPECT_EQ(address.port(), 0);
  EXPECT_EQ(address.to_string(), "/run/app.sock");
  EXPECT_EQ(copy_of(address), "/run/app.sock");
}

TEST(SocketAddressTest, APathIsTheSameWithAndWithoutItsNul) {
  sockaddr_un raw = {};
  raw.sun_family = AF_UNIX;
  std::strcpy(raw.sun_path, "/a");
  const auto* base = reinterpret_cast<const sockaddr*>(&raw);
  const SocketAddress expected = SocketAddress::from_path("/a");
  EXPECT_EQ(SocketAddress::from_sockaddr(base, sizeof(raw)), expected);
  EXPECT_EQ(
      SocketAddress::from_sockaddr(base, offsetof(sockaddr_un, sun_path) + 2),
      expected);
}

TEST(SocketAddressTest, AnAbstractPathKeepsEveryByte) {
  const std::string path("\0a\0b", 4);
  const SocketAddress address = SocketAddress::from_path(path);
  EXPECT_EQ(address.path(), path);
  EXPECT_EQ(address.to_string(), std::string("@a\0b", 4));
  EXPECT_EQ(address.size(), offsetof(sockaddr_un, sun_path) + 4);
  EXPECT_EQ(SocketAddress::from_sockaddr(address.data(), address.size()),
            address);
  EXPECT_NE(SocketAddress::from_path(path.substr(0, 3)), address);
}

TEST(SocketAddressTest, APathHasRoomOrIsRefused) {
  EXPECT_EQ(SocketAddress::from_path(std::string(107, 'x')).path().size(),
            107u);
  EXPECT_EQ(
      SocketAddress::from_path('\0' + std::string(107, 'x')).path().size(),
      108u);
  for (const std::string& path :
       {std::string(108, 'x'), '\0' + std::string(108, 'x')}) {
    try {
      SocketAddress::from_path(path);
      ADD_FAILURE();
    } catch (const OSError& e) {
      EXPECT_STREQ(e.what(), "AF_UNIX path too long");
    }
  }
  EXPECT_THROW(SocketAddress::from_path("/a\0b"sv), ValueError);
}

TEST(SocketAddressTest, APathOfTheKernelMayFillItsRoom) {
  sockaddr_un raw = {};
  raw.sun_family = AF_UNIX;
  std::memset(raw.sun_path, 'x', sizeof(raw.sun_path));
  const SocketAddress address = SocketAddress::from_sockaddr(
      reinterpret_cast<const sockaddr*>(&raw), sizeof(raw));
  EXPECT_EQ(address.path(), std::string(108, 'x'));
  EXPECT_EQ(SocketAddress::from_sockaddr(address.data(), address.size()),
            address);
}

TEST(SocketAddressTest, AnotherFamilyIsKeptAsItIs) {
  const char raw[20] = {AF_NETLINK, 0, 1, 2, 3};
  const SocketAddress address = SocketAddress::from_sockaddr(
      reinterpret_cast<const sockaddr*>(raw), sizeof(raw));
  EXPECT_EQ(address.family(), AF_NETLINK);
  EXPECT_EQ(address.size(), sizeof(raw));
  EXPECT_EQ(std::memcmp(address.data(), raw, sizeof(raw)), 0);
  EXPECT_EQ(address.to_string(),
            "address of family " + std::to_string(AF_NETLINK));
  char longer[200] = {AF_NETLINK};
  EXPECT_THROW(SocketAddress::from_sockaddr(
                   reinterpret_cast<const sockaddr*>(longer), sizeof(longer)),
               ValueError);
}

TEST(SocketAddressTest, WhatASockaddrPadsWithDoesNotCount) {
  sockaddr_in raw = {};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(80);
  raw.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memset(raw.sin_zero, 0x55, sizeof(raw.sin_zero));
  EXPECT_EQ(SocketAddress::from_sockaddr(
                reinterpret_cast<const sockaddr*>(&raw), sizeof(raw)),
            SocketAddress("127.0.0.1", 80));
}

TEST(SocketAddressTest, EqualOrderedAndHashedByWhatItIs) {
  const absl::flat_hash_set<SocketAddress> set = {
      SocketAddress(),
      SocketAddress("127.0.0.1", 80),
      SocketAddress("127.0.0.1", 80),
      SocketAddress("127.0.0.1", 81),
      SocketAddress("::1", 80),
      SocketAddress("::ffff:127.0.0.1", 80),
      SocketAddress::from_path("/a"),
      SocketAddress::from_path("/a"),
      SocketAddress::from_path(std::string("\0/a", 3)),
  };
  EXPECT_EQ(set.size(), 7u);
  const SocketAddress a("127.0.0.1", 80);
  const SocketAddress b("127.0.0.2", 80);
  EXPECT_EQ(a, SocketAddress("127.0.0.1", 80));
  EXPECT_NE(a, b);
  EXPECT_LT(a, b);
  EXPECT_FALSE(b < a);
}

TEST(SocketAddressTest, OfSockets) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  EXPECT_EQ(SocketAddress::local_of(pair[0]).family(), AF_UNIX);
  EXPECT_EQ(SocketAddress::peer_of(pair[0]).path(), "");
  close(pair[0]);
  close(pair[1]);

  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const SocketAddress any("127.0.0.1", 0);
  ASSERT_EQ(bind(fd, any.data(), any.size()), 0);
  const SocketAddress local = SocketAddress::local_of(fd);
  EXPECT_EQ(local.host(), "127.0.0.1");
  EXPECT_NE(local.port(), 0);
  try {
    SocketAddress::peer_of(fd);
    ADD_FAILURE();
  } catch (const OSError& e) {
    EXPECT_EQ(e.error(), ENOTCONN);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("getpeername"));
  }
  close(fd);
}

TEST(SocketAddressTest, IsPrintedAsItsText) {
  std::ostringstream out;
  out << SocketAddress("::1", 80);
  EXPECT_EQ(out.str(), "[::1]:80");
}

}  // namespace
}  // namespace asyncio
