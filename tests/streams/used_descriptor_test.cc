// A descriptor that a stream, a server or an endpoint has is refused to others.

#include <string>
#include <sys/socket.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/streams/udp.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/sockets.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

Coroutine<> add_reader(int fd) {
  get_running_loop().add_reader(fd, [] {});
  co_return;
}
Coroutine<> add_writer(int fd) {
  get_running_loop().add_writer(fd, [] {});
  co_return;
}
Coroutine<> remove_reader(int fd) {
  get_running_loop().remove_reader(fd);
  co_return;
}
Coroutine<> remove_writer(int fd) {
  get_running_loop().remove_writer(fd);
  co_return;
}

std::string used(int fd, const std::string& what) {
  const std::string number = std::to_string(fd);
  return "RuntimeError: File descriptor " + number + " is used by transport <" +
         what + " fd=" + number + ">";
}

ASYNCIO_TEST(UsedDescriptorTest, IsRefusedToCallbacks) {
  auto [a, b] = co_await connected_pair();
  const std::string text = used(a.fd, "Transport");
  EXPECT_EQ(co_await ending(add_reader(a.fd)), text);
  EXPECT_EQ(co_await ending(add_writer(a.fd)), text);
  EXPECT_EQ(co_await ending(remove_reader(a.fd)), text);
  EXPECT_EQ(co_await ending(remove_writer(a.fd)), text);
  // Also while it is not watched.
  a.writer.transport().pause_reading();
  EXPECT_EQ(co_await ending(add_reader(a.fd)), text);
  a.writer.transport().resume_reading();
  b.writer.write("x");
  EXPECT_EQ(co_await a.reader.readexactly(1), "x");
}

// As in Python: what does not block is done.
ASYNCIO_TEST(UsedDescriptorTest, IsRefusedToWhoWaits) {
  auto [a, b] = co_await connected_pair();
  const std::string text = used(a.fd, "Transport");
  EXPECT_EQ(co_await ending(sock_recv(a.fd, 10)), text);
  EXPECT_EQ(co_await ending(sock_recvfrom(a.fd, 10)), text);
  EXPECT_EQ(co_await ending(sock_sendall(a.fd, std::string(3'000'000, 'x'))),
            text);
  b.writer.write("x");
  EXPECT_EQ(co_await sock_recv(a.fd, 10), "x");
}

ASYNCIO_TEST(UsedDescriptorTest, IsRefusedToAnotherStream) {
  auto [a, b] = co_await connected_pair();
  const std::string text = used(a.fd, "Transport");
  EXPECT_EQ(co_await ending(open_connection({.sock = a.fd})), text);
  b.writer.write("still there\n");
  EXPECT_EQ(co_await a.reader.readline(), "still there\n");
}

ASYNCIO_TEST(UsedDescriptorTest, IsFreeAgainWhenItsOwnerIsGone) {
  auto [a, b] = co_await connected_pair();
  a.writer.close();
  co_await a.writer.wait_closed();
  SocketPair pair;  // with the same number, but for what the loop opened
  for (const int fd : {pair.a(), pair.b()}) {
    EXPECT_EQ(co_await ending(add_reader(fd)), "");
    EXPECT_EQ(co_await ending(remove_reader(fd)), "");
  }
}

ASYNCIO_TEST(UsedDescriptorTest, OfAServer) {
  auto serve = [](StreamReader, StreamWriter) {};
  Server server = co_await start_server(serve, "127.0.0.1", 0);
  const int fd = server.sockets()[0].fd();
  EXPECT_EQ(co_await ending(sock_accept(fd)), used(fd, "Server socket"));
  EXPECT_EQ(co_await ending(add_reader(fd)), used(fd, "Server socket"));
  EXPECT_EQ(co_await ending(start_server(serve, {.sock = fd})),
            used(fd, "Server socket"));
  EXPECT_TRUE(server.is_serving());
  co_await open_connection("127.0.0.1", server.port());
}

ASYNCIO_TEST(UsedDescriptorTest, OfADatagramEndpoint) {
  DatagramEndpoint endpoint = co_await create_datagram_endpoint(
      {.local_addr = SocketAddress("127.0.0.1", 0)});
  const int fd = endpoint.fd();
  EXPECT_EQ(co_await ending(sock_recvfrom(fd, 10)),
            used(fd, "DatagramEndpoint"));
  EXPECT_EQ(co_await ending(create_datagram_endpoint({.sock = fd})),
            used(fd, "DatagramEndpoint"));
}

}  // namespace
}  // namespace asyncio
