#include "asyncio/streams/connect.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<> greet(StreamReader, StreamWriter writer) {
  writer.write("hello");
  co_return;
}

// A port of 127.0.0.1 that nobody listens on, for as long as it lives.
class DeadPort {
 public:
  DeadPort() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const SocketAddress any("127.0.0.1", 0);
    EXPECT_EQ(bind(fd_, any.data(), any.size()), 0);
  }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;
  ~DeadPort() { close(fd_); }
  uint16_t port() const { return SocketAddress::local_of(fd_).port(); }

 private:
  int fd_;
};

// The lowest descriptor that is free: what was opened and not closed raises it.
int next_descriptor() {
  const int fd = dup(0);
  close(fd);
  return fd;
}

ASYNCIO_TEST(ConnectTest, ConnectsByNumberAndByName) {
  Server server = co_await start_server(greet, "127.0.0.1", 0);
  const std::string hosts[] = {"127.0.0.1", "localhost"};
  for (const std::string& host : hosts) {
    auto [reader, writer] =
        co_await open_connection(host, server.port(), {.family = AF_INET});
    EXPECT_EQ(co_await reader.read(), "hello");
    EXPECT_EQ(writer.peername(), SocketAddress("127.0.0.1", server.port()));
  }
}

ASYNCIO_TEST(ConnectTest, ArgumentsAreCopiedAtTheCall) {
  Server server = co_await start_server(greet, "127.0.0.1", 0);
  Coroutine<Connection> opening;
  {
    const std::string host = "127.0.0.1";
    opening = open_connection(host + "", server.port());
  }
  Connection connection = co_await std::move(opening);
  EXPECT_EQ(co_await connection.reader.read(), "hello");
}

ASYNCIO_TEST(ConnectTest, ConnectsFromALocalAddress) {
  Server server = co_await start_server(greet, "127.0.0.1", 0);
  auto [reader, writer] =
      co_await open_connection("127.0.0.1", server.port(),
                               {.local_addr = SocketAddress("127.0.0.2", 0)});
  EXPECT_EQ(writer.sockname().host(), "127.0.0.2");
  EXPECT_EQ(
      co_await ending(open_connection("127.0.0.1", server.port(),
                                      {.local_addr = SocketAddress("::1", 0)})),
      "OSError: no matching local address with family=2 found");
}

ASYNCIO_TEST(ConnectTest, ARefusalNamesTheAddress) {
  const DeadPort dead;
  const std::string text =
      "[Errno 111] connect to 127.0.0.1:" + std::to_string(dead.port()) +
      ": Connection refused";
  EXPECT_EQ(co_await ending(open_connection("127.0.0.1", dead.port())),
            "ConnectionRefusedError: " + text);
  EXPECT_EQ(co_await ending(open_connection("127.0.0.1", dead.port(),
                                            {.happy_eyeballs_delay = 250ms})),
            "ConnectionRefusedError: " + text);
  const Result<Connection> all = co_await as_result(
      open_connection("127.0.0.1", dead.port(), {.all_errors = true}));
  const ExceptionGroup* group = all.get_if<ExceptionGroup>();
  CO_ASSERT_TRUE(group != nullptr);
  EXPECT_EQ(group->message(), "create_connection failed");
  CO_ASSERT_EQ(group->exceptions().size(), 1u);
  EXPECT_EQ(exception_message(group->exceptions()[0]), text);
}

ASYNCIO_TEST(ConnectTest, ContradictoryArgumentsAreRefused) {
  EXPECT_EQ(co_await ending(open_connection("127.0.0.1", 80, {.sock = 0})),
            "ValueError: host/port and sock can not be specified at the same "
            "time");
  EXPECT_EQ(co_await ending(open_connection({})),
            "ValueError: host and port was not specified and no sock "
            "specified");
  EXPECT_EQ(co_await ending(open_connection("127.0.0.1", 80, {.limit = 0})),
            "ValueError: Limit cannot be <= 0");
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_EQ(co_await ending(open_connection({.sock = fd})),
            "ValueError: A Stream Socket was expected, got descriptor " +
                std::to_string(fd));
  close(fd);
  const int tcp = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(co_await ending(open_unix_connection({.sock = tcp})),
            "ValueError: A UNIX Domain Stream Socket was expected, got "
            "descriptor " +
                std::to_string(tcp));
  close(tcp);
}

ASYNCIO_TEST(ConnectTest, HappyEyeballsConnects) {
  Server server = co_await start_server(greet, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "localhost", server.port(), {.happy_eyeballs_delay = 250ms});
  EXPECT_EQ(co_await reader.read(), "hello");
}

TEST(ConnectCancelTest, CancelledAnywhereLeavesNoSocket) {
  for (const bool happy : {false, true}) {
    cancel_everywhere([happy](CancelScene& scene) -> Coroutine<> {
      Server server = co_await start_server(greet, "127.0.0.1", 0);
      const uint16_t port = server.port();
      const int before = next_descriptor();
      scene.start([port, happy]() -> Coroutine<> {
        ConnectionOptions options;
        if (happy) options.happy_eyeballs_delay = 250ms;
        Connection connection =
            co_await open_connection("127.0.0.1", port, options);
        EXPECT_EQ(co_await connection.reader.read(), "hello");
        connection.writer.close();
        co_await connection.writer.wait_closed();
      });
      static_cast<void>(co_await scene.ended());
      server.close();
      server.abort_clients();
      co_await server.wait_closed();
      co_await turns(3);
      EXPECT_LE(next_descriptor(), before);
    });
  }
}

}  // namespace
}  // namespace asyncio
