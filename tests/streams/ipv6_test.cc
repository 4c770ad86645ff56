// Connections, servers and datagrams over IPv6.

#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/result.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/udp.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

FileDescriptor bound_to_loopback() {
  FileDescriptor fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress loopback("::1", 0);
  if (fd && bind(fd.get(), loopback.data(), loopback.size()) != 0) fd.reset();
  return fd;
}

class Ipv6Test : public AsyncTest {
 protected:
  void SetUp() override {
    if (!bound_to_loopback()) GTEST_SKIP() << "this machine has no ::1";
  }
};

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) {
    writer.write(*line);
    co_await writer.drain();
  }
}

Coroutine<> expect_echo(const Connection& connection) {
  connection.writer.write("six\n");
  const std::string answer = co_await connection.reader.readline();
  EXPECT_EQ(answer, "six\n");
}

std::string with_port(const std::string& host, uint16_t port) {
  return host + ":" + std::to_string(port);
}

bool is_v6_only(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size), 0);
  return value != 0;
}

ASYNCIO_TEST_F(Ipv6Test, AServerAndItsClient) {
  SocketAddress seen;
  auto serve = [&seen](StreamReader reader,
                       StreamWriter writer) -> Coroutine<> {
    seen = writer.peername();
    return echo(std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(serve, "::1", 0);
  CO_ASSERT_EQ(server.sockets().size(), 1u);
  const ServerSocket socket = server.sockets()[0];
  EXPECT_EQ(socket.sockname().family(), AF_INET6);
  EXPECT_EQ(socket.sockname().to_string(), with_port("[::1]", server.port()));
  EXPECT_TRUE(is_v6_only(socket.fd()));
  const Connection client = co_await open_connection("::1", server.port());
  co_await expect_echo(client);
  EXPECT_EQ(client.writer.peername(), socket.sockname());
  EXPECT_EQ(client.writer.peername().host(), "::1");
  EXPECT_EQ(client.writer.sockname(), seen);
  const std::string forever = co_await ending(server.start_serving());
  EXPECT_EQ(forever, "");
}

ASYNCIO_TEST_F(Ipv6Test, AServerOfBothFamilies) {
  Server server = co_await start_server(echo, {"127.0.0.1", "::1"}, 0);
  CO_ASSERT_EQ(server.sockets().size(), 2u);
  const SocketAddress four = server.sockets()[0].sockname();
  const SocketAddress six = server.sockets()[1].sockname();
  EXPECT_EQ(four.family(), AF_INET);
  EXPECT_EQ(six.family(), AF_INET6);
  const Connection over_four =
      co_await open_connection("127.0.0.1", four.port());
  co_await expect_echo(over_four);
  const Connection over_six =
      co_await open_connection("::1", six.port(), {.family = AF_INET6});
  co_await expect_echo(over_six);
  server.close();
  const std::string refused =
      co_await ending(open_connection("::1", six.port()));
  EXPECT_EQ(refused, "ConnectionRefusedError: [Errno 111] connect to " +
                         six.to_string() + ": Connection refused");
}

ASYNCIO_TEST_F(Ipv6Test, AServerOnEveryAddress) {
  Server server = co_await start_server(echo, "", 0);
  CO_ASSERT_EQ(server.sockets().size(), 2u);
  for (const ServerSocket& socket : server.sockets()) {
    const bool six = socket.sockname().family() == AF_INET6;
    EXPECT_EQ(socket.sockname().host(), six ? "::" : "0.0.0.0");
    if (six) {
      EXPECT_TRUE(is_v6_only(socket.fd()));
    }
    std::string host = "127.0.0.1";
    if (six) host = "::1";
    const Connection client =
        co_await open_connection(host, socket.sockname().port());
    co_await expect_echo(client);
  }
  Server only_six = co_await start_server(echo, "", 0, {.family = AF_INET6});
  EXPECT_EQ(only_six.sockets().size(), 1u);
}

// Without IPV6_V6ONLY the second would ask for an address that is taken.
ASYNCIO_TEST_F(Ipv6Test, OnePortForBothFamilies) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    Server four = co_await start_server(echo, "0.0.0.0", 0);
    // Somebody else may have the port.
    Result<Server> six =
        co_await as_result(start_server(echo, "::", four.port()));
    if (!six) continue;
    EXPECT_EQ(six->port(), four.port());
    for (const std::string host : {"127.0.0.1", "::1"}) {
      const Connection client = co_await open_connection(host, four.port());
      co_await expect_echo(client);
    }
    co_return;
  }
  ADD_FAILURE() << "no port is free for both";
}

ASYNCIO_TEST_F(Ipv6Test, ConnectsFromALocalAddress) {
  Server server = co_await start_server(echo, "::1", 0);
  const Connection client = co_await open_connection(
      "::1", server.port(), {.local_addr = SocketAddress("::1", 0)});
  EXPECT_EQ(client.writer.sockname().host(), "::1");
  const std::string end = co_await ending(open_connection(
      "::1", server.port(), {.local_addr = SocketAddress("127.0.0.1", 0)}));
  EXPECT_EQ(end, "OSError: no matching local address with family=10 found");
}

ASYNCIO_TEST_F(Ipv6Test, HappyEyeballs) {
  Server server = co_await start_server(echo, "::1", 0);
  ConnectionOptions options;
  options.happy_eyeballs_delay = std::chrono::milliseconds(250);
  const Connection client =
      co_await open_connection("::1", server.port(), options);
  co_await expect_echo(client);
}

ASYNCIO_TEST_F(Ipv6Test, ARefusalNamesTheAddress) {
  const FileDescriptor dead = bound_to_loopback();
  const SocketAddress address = SocketAddress::local_of(dead.get());
  const std::string end =
      co_await ending(open_connection("::1", address.port()));
  EXPECT_EQ(end, "ConnectionRefusedError: [Errno 111] connect to " +
                     with_port("[::1]", address.port()) +
                     ": Connection refused");
}

ASYNCIO_TEST_F(Ipv6Test, AnAddressThatIsTakenIsNamed) {
  Server server = co_await start_server(echo, "::1", 0);
  const std::string end =
      co_await ending(start_server(echo, "::1", server.port()));
  EXPECT_EQ(end, "OSError: [Errno 98] bind to " +
                     with_port("[::1]", server.port()) +
                     ": Address already in use");
}

ASYNCIO_TEST_F(Ipv6Test, RawSockets) {
  FileDescriptor listener = bound_to_loopback();
  CO_ASSERT_EQ(listen(listener.get(), 10), 0);
  const SocketAddress address = SocketAddress::local_of(listener.get());
  FileDescriptor client(
      socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  co_await sock_connect(client.get(), "::1", address.port());
  const Accepted accepted = co_await sock_accept(listener.get());
  EXPECT_EQ(accepted.address, SocketAddress::local_of(client.get()));
  co_await sock_sendall(client.get(), "six");
  const std::string data = co_await sock_recv(accepted.connection.get(), 10);
  EXPECT_EQ(data, "six");
}

ASYNCIO_TEST_F(Ipv6Test, Datagrams) {
  DatagramOptions options;
  options.local_addr = SocketAddress("::1", 0);
  DatagramEndpoint server = co_await create_datagram_endpoint(options);
  DatagramEndpoint client =
      co_await create_datagram_endpoint("::1", server.sockname().port());
  EXPECT_EQ(client.peername(), server.sockname());
  co_await client.send("six");
  const Datagram asked = co_await server.recv();
  EXPECT_EQ(asked.data, "six");
  EXPECT_EQ(asked.address, client.sockname());
  EXPECT_EQ(asked.address.to_string(),
            with_port("[::1]", client.sockname().port()));
  co_await server.send("you too", asked.address);
  const Datagram answer = co_await client.recv();
  EXPECT_EQ(answer.data, "you too");
  server.close();
  co_await client.send("nobody there");
  const std::string end = co_await ending(client.recv());
  EXPECT_EQ(end, "ConnectionRefusedError: [Errno 111] recv at " +
                     client.sockname().to_string() + ": Connection refused");
}

}  // namespace
}  // namespace asyncio
