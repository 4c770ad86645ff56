#include "asyncio/streams/sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <span>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/sockets.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr size_t kMore = 3'000'000;  // than any buffer of a socket holds

// A file without a name.
FileDescriptor file_of(const std::string& content) {
  FILE* file = std::tmpfile();
  std::fwrite(content.data(), 1, content.size(), file);
  std::fflush(file);
  FileDescriptor fd(fcntl(fileno(file), F_DUPFD_CLOEXEC, 0));
  std::fclose(file);
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// All that comes until the end of the stream, `n` bytes at a time.
Coroutine<std::string> receive_all(int fd, size_t n = 4096) {
  std::string all;
  for (;;) {
    const std::string part = co_await sock_recv(fd, n);
    if (part.empty()) co_return all;
    all += part;
  }
}

ASYNCIO_TEST(SockRecvTest, GivesWhatIsThereWithoutATurn) {
  SocketPair pair;
  bool turned = false;
  Handle turn = get_running_loop().call_soon([&] { turned = true; });
  CO_ASSERT_EQ(write(pair.a(), "hello", 5), 5);
  EXPECT_EQ(co_await sock_recv(pair.b(), 3), "hel");
  EXPECT_EQ(co_await sock_recv(pair.b(), 1'000'000), "lo");
  EXPECT_FALSE(turned);
  turn.cancel();
}

ASYNCIO_TEST(SockRecvTest, WaitsForMore) {
  SocketPair pair;
  Task<std::string> task = create_task(sock_recv(pair.b(), 100));
  co_await sleep(1s);
  EXPECT_FALSE(task.done());
  CO_ASSERT_EQ(write(pair.a(), "late", 4), 4);
  EXPECT_EQ(co_await task, "late");
}

ASYNCIO_TEST(SockRecvTest, IsEmptyAtTheEnd) {
  SocketPair pair;
  Task<std::string> task = create_task(sock_recv(pair.b(), 100));
  co_await sleep(0s);
  pair.close_a();
  EXPECT_EQ(co_await task, "");
  EXPECT_EQ(co_await sock_recv(pair.b(), 100), "");
}

ASYNCIO_TEST(SockRecvTest, IntoMemoryOfTheCaller) {
  SocketPair pair;
  std::array<char, 4> buffer = {};
  CO_ASSERT_EQ(write(pair.a(), "abcdef", 6), 6);
  EXPECT_EQ(co_await sock_recv_into(pair.b(), std::span<char>(buffer)), 4u);
  EXPECT_EQ(std::string(buffer.data(), 4), "abcd");
  std::array<std::byte, 4> bytes = {};
  EXPECT_EQ(co_await sock_recv_into(pair.b(), std::span<std::byte>(bytes)), 2u);
  EXPECT_EQ(bytes[1], std::byte{'f'});
}

ASYNCIO_TEST(SockRecvTest, AFailureNamesTheCall) {
  Result<std::string> end = co_await as_result(sock_recv(-1, 100));
  const OSError* error = end.get_if<OSError>();
  CO_ASSERT_NE(error, nullptr);
  EXPECT_STREQ(error->what(),
               "[Errno 9] recv on descriptor -1: Bad file descriptor");
}

ASYNCIO_TEST(SockRecvTest, SeveralTasksAreServedInTheirOrder) {
  SocketPair pair(SOCK_DGRAM);
  std::string log;
  auto take = [&](std::string name) -> Coroutine<> {
    const std::string data = co_await sock_recv(pair.b(), 10);
    log += name + data + " ";
  };
  Task<> a = create_task(take("a"));
  Task<> b = create_task(take("b"));
  Task<> c = create_task(take("c"));
  co_await sleep(0s);
  b.cancel();
  for (const char* data : {"1", "2"}) {
    CO_ASSERT_EQ(write(pair.a(), data, 1), 1);
  }
  co_await gather(return_exceptions, a, b, c);
  EXPECT_EQ(log, "a1 c2 ");
}

ASYNCIO_TEST(SockRecvTest, AWokenTaskThatIsCancelledLeavesTheDataToTheNext) {
  SocketPair pair;
  Task<std::string> first = create_task(sock_recv(pair.b(), 10));
  Task<std::string> second = create_task(sock_recv(pair.b(), 10));
  co_await sleep(0s);
  CO_ASSERT_EQ(write(pair.a(), "x", 1), 1);
  // Its turn comes first; the loop has seen the byte by then.
  get_running_loop().call_soon([&] { first.cancel(); });
  EXPECT_EQ(co_await second, "x");
  EXPECT_TRUE(first.cancelled());
}

ASYNCIO_TEST(SockRecvTest, ADescriptorIsReadAndWrittenAtTheSameTime) {
  SocketPair pair;
  const std::string data = numbered_bytes(kMore);
  Task<std::string> incoming = create_task(sock_recv(pair.a(), 10));
  Task<> outgoing = create_task(sock_sendall(pair.a(), data));
  co_await sleep(0s);
  CO_ASSERT_EQ(write(pair.b(), "in", 2), 2);
  EXPECT_EQ(co_await incoming, "in");
  EXPECT_FALSE(outgoing.done());
  Task<std::string> all = create_task(receive_all(pair.b()));
  co_await outgoing;
  pair.close_a();
  EXPECT_EQ(co_await all, data);
}

ASYNCIO_TEST(SockRecvTest, TheNumberIsFreeOnceTheOperationIsOver) {
  for (int i = 0; i < 3; ++i) {
    SocketPair pair;
    Task<std::string> task = create_task(sock_recv(pair.b(), 10));
    co_await sleep(0s);
    if (i == 1) {
      task.cancel();
      EXPECT_TRUE((co_await as_result(task)).cancelled());
    } else {
      CO_ASSERT_EQ(write(pair.a(), "x", 1), 1);
      EXPECT_EQ(co_await task, "x");
    }
    EXPECT_FALSE(get_running_loop().remove_reader(pair.b()));
  }
}

ASYNCIO_TEST(SockRecvTest, ABlockingSocketIsRefusedInDebugMode) {
  SocketPair pair;
  get_running_loop().set_debug(true);
  CO_ASSERT_EQ(write(pair.a(), "x", 1), 1);
  EXPECT_EQ(co_await sock_recv(pair.b(), 10), "x");
  CO_ASSERT_EQ(fcntl(pair.b(), F_SETFL, 0), 0);
  Result<std::string> end = co_await as_result(sock_recv(pair.b(), 10));
  get_running_loop().set_debug(false);
  CO_ASSERT_NE(end.get_if<ValueError>(), nullptr);
  EXPECT_STREQ(end.get_if<ValueError>()->what(),
               "the socket must be non-blocking");
}

TEST(SockRecvLoopTest, ALoopMayEndWhileATaskWaits) {
  SocketPair pair;
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  Task<std::string> task = create_task(*loop, sock_recv(pair.b(), 10));
  loop->call_soon([&] { loop->stop(); });
  loop->run_forever();
  loop->close();
  EXPECT_FALSE(task.done());
  task = Task<std::string>();
  loop = nullptr;
}

ASYNCIO_TEST(SockSendallTest, SendsMoreThanTheKernelTakesAtOnce) {
  SocketPair pair;
  const std::string data = numbered_bytes(kMore);
  Task<> sender = create_task(sock_sendall(pair.a(), data));
  co_await sleep(0s);
  EXPECT_FALSE(sender.done());
  Task<std::string> receiver = create_task(receive_all(pair.b(), 1000));
  co_await sender;
  pair.close_a();
  EXPECT_EQ(co_await receiver, data);
}

ASYNCIO_TEST(SockSendallTest, CopiesAtTheCall) {
  SocketPair pair;
  std::string data = numbered_bytes(100);
  const std::string expected = data;
  auto copied = sock_sendall(pair.a(), data);
  auto moved = sock_sendall(pair.a(), numbered_bytes(100));
  auto text = sock_sendall(pair.a(), "text");
  auto bytes =
      sock_sendall(pair.a(), std::as_bytes(std::span(data).subspan(0, 2)));
  data.assign(100, 'x');
  co_await std::move(copied);
  co_await std::move(moved);
  co_await std::move(text);
  co_await std::move(bytes);
  EXPECT_EQ(read_now(pair.b()), expected + expected + "text" + "0,");
}

ASYNCIO_TEST(SockSendallTest, AGonePeerIsAnErrorAndNoSignal) {
  SocketPair pair;
  pair.close_b();
  Result<> end = co_await as_result(sock_sendall(pair.a(), "x"));
  CO_ASSERT_NE(end.get_if<BrokenPipeError>(), nullptr);
  EXPECT_THAT(end.get_if<BrokenPipeError>()->what(),
              HasSubstr("send on descriptor"));
}

ASYNCIO_TEST(SockSendtoTest, MessagesAndWhoSentThem) {
  FileDescriptor a = bound_socket(SOCK_DGRAM);
  FileDescriptor b = bound_socket(SOCK_DGRAM);
  const SocketAddress to_a = SocketAddress::local_of(a.get());
  const SocketAddress to_b = SocketAddress::local_of(b.get());
  Task<Datagram> first = create_task(sock_recvfrom(b.get(), 100));
  co_await sleep(0s);
  EXPECT_EQ(co_await sock_sendto(a.get(), "hello", to_b), 5u);
  auto [data, address] = co_await first;
  EXPECT_EQ(data, "hello");
  EXPECT_EQ(address, to_a);

  EXPECT_EQ(co_await sock_sendto(a.get(), "too long", to_b), 8u);
  std::array<char, 3> buffer;
  const DatagramInto into =
      co_await sock_recvfrom_into(b.get(), std::span<char>(buffer));
  EXPECT_EQ(into.size, 3u);
  EXPECT_EQ(into.address, to_a);
  EXPECT_EQ(std::string(buffer.data(), 3), "too");
}

ASYNCIO_TEST(SockSendtoTest, AFailureNamesTheAddress) {
  FileDescriptor a = bound_socket(SOCK_DGRAM);
  Result<size_t> end = co_await as_result(
      sock_sendto(a.get(), std::string(70'000, 'x'), {"127.0.0.1", 9}));
  CO_ASSERT_NE(end.get_if<OSError>(), nullptr);
  EXPECT_STREQ(end.get_if<OSError>()->what(),
               "[Errno 90] sendto 127.0.0.1:9: Message too long");
}

ASYNCIO_TEST(SockConnectTest, ConnectsAndAccepts) {
  FileDescriptor listener = listening_socket();
  const SocketAddress address = SocketAddress::local_of(listener.get());
  FileDescriptor client = tcp_socket();
  Task<Accepted> accepting = create_task(sock_accept(listener.get()));
  co_await sock_connect(client.get(), address);
  auto [connection, peer] = co_await std::move(accepting);
  EXPECT_EQ(peer, SocketAddress::local_of(client.get()));
  EXPECT_EQ(fcntl(connection.get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(fcntl(connection.get(), F_GETFD), FD_CLOEXEC);
  co_await sock_sendall(client.get(), "hi");
  EXPECT_EQ(co_await sock_recv(connection.get(), 10), "hi");
}

ASYNCIO_TEST(SockConnectTest, ByName) {
  FileDescriptor listener = listening_socket();
  const uint16_t port = SocketAddress::local_of(listener.get()).port();
  FileDescriptor client = tcp_socket();
  co_await sock_connect(client.get(), "localhost", port);
  EXPECT_EQ(SocketAddress::peer_of(client.get()).port(), port);
}

ASYNCIO_TEST(SockConnectTest, ARefusalNamesTheAddress) {
  SocketAddress address;
  {
    FileDescriptor bound = bound_socket(SOCK_STREAM);
    address = SocketAddress::local_of(bound.get());
  }
  FileDescriptor client = tcp_socket();
  Result<> end = co_await as_result(sock_connect(client.get(), address));
  CO_ASSERT_NE(end.get_if<ConnectionRefusedError>(), nullptr);
  EXPECT_EQ(
      std::string(end.get_if<ConnectionRefusedError>()->what()),
      "[Errno 111] connect to " + address.to_string() + ": Connection refused");

  FileDescriptor local(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  Result<> missing = co_await as_result(
      sock_connect(local.get(), SocketAddress::from_path("/no/such/socket")));
  CO_ASSERT_NE(missing.get_if<FileNotFoundError>(), nullptr);
  EXPECT_STREQ(
      missing.get_if<FileNotFoundError>()->what(),
      "[Errno 2] connect to /no/such/socket: No such file or directory");
}

ASYNCIO_TEST(SockAcceptTest, ManyTasksShareAListener) {
  FileDescriptor listener = listening_socket();
  const SocketAddress address = SocketAddress::local_of(listener.get());
  std::vector<Task<Accepted>> accepting;
  for (int i = 0; i < 5; ++i) {
    accepting.push_back(create_task(sock_accept(listener.get())));
  }
  co_await sleep(0s);
  accepting[1].cancel();
  std::vector<FileDescriptor> clients;
  std::vector<SocketAddress> expected;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(tcp_socket());
    co_await sock_connect(clients.back().get(), address);
    expected.push_back(SocketAddress::local_of(clients.back().get()));
  }
  std::vector<SocketAddress> accepted;
  for (int i : {0, 2, 3, 4})
    accepted.push_back((co_await accepting[i]).address);
  EXPECT_EQ(accepted, expected);
  EXPECT_TRUE((co_await as_result(accepting[1])).cancelled());
}

ASYNCIO_TEST(SockAcceptTest, ADroppedConnectionIsClosed) {
  FileDescriptor listener = listening_socket();
  FileDescriptor client = tcp_socket();
  co_await sock_connect(client.get(), SocketAddress::local_of(listener.get()));
  co_await sock_accept(listener.get());
  EXPECT_EQ(co_await sock_recv(client.get(), 1), "");
}

ASYNCIO_TEST(SockSendfileTest, SendsAFile) {
  SocketPair pair;
  const std::string content = numbered_bytes(1000);
  FileDescriptor file = file_of(content);
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file.get()), 1000);
  EXPECT_EQ(read_now(pair.b()), content);
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 1000);
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file_of("").get()), 0);
}

ASYNCIO_TEST(SockSendfileTest, SendsAPart) {
  SocketPair pair;
  const std::string content = numbered_bytes(1000);
  FileDescriptor file = file_of(content);
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file.get(),
                                   {.offset = 100, .count = 50}),
            50);
  EXPECT_EQ(read_now(pair.b()), content.substr(100, 50));
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 150);
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file.get(),
                                   {.offset = 990, .count = 50}),
            10);
  EXPECT_EQ(read_now(pair.b()), content.substr(990));
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file.get(), {.offset = 2000}), 0);
}

ASYNCIO_TEST(SockSendfileTest, SendsMoreThanTheKernelTakesAtOnce) {
  SocketPair pair;
  const std::string content = numbered_bytes(kMore);
  FileDescriptor file = file_of(content);
  Task<std::string> receiver = create_task(receive_all(pair.b(), 100'000));
  EXPECT_EQ(co_await sock_sendfile(pair.a(), file.get()),
            static_cast<int64_t>(kMore));
  pair.close_a();
  EXPECT_EQ(co_await receiver, content);
}

ASYNCIO_TEST(SockSendfileTest, WhatTheKernelCannotSendIsRead) {
  SocketPair pair;
  const std::string content = numbered_bytes(kMore);
  std::array<int, 2> ends;
  CO_ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  CO_ASSERT_EQ(write(in.get(), content.data(), 50'000), 50'000);
  in.reset();
  EXPECT_EQ(co_await sock_sendfile(pair.a(), out.get(), {.count = 20'000}),
            20'000);
  EXPECT_EQ(co_await sock_sendfile(pair.a(), out.get()), 30'000);
  EXPECT_EQ(read_now(pair.b()), content.substr(0, 50'000));

  Result<int64_t> end = co_await as_result(
      sock_sendfile(pair.a(), out.get(), {.fallback = false}));
  CO_ASSERT_NE(end.get_if<SendfileNotAvailableError>(), nullptr);
  EXPECT_STREQ(end.get_if<SendfileNotAvailableError>()->what(),
               "not a regular file");
}

ASYNCIO_TEST(SockSendfileTest, RefusesWhatItCannotDo) {
  SocketPair pair;
  SocketPair datagrams(SOCK_DGRAM);
  FileDescriptor file = file_of("x");
  auto text = [&](int fd, SendfileOptions options) -> Coroutine<std::string> {
    Result<int64_t> end =
        co_await as_result(sock_sendfile(fd, file.get(), options));
    co_return exception_name(end.exception()) + ": " +
        exception_message(end.exception());
  };
  EXPECT_EQ(co_await text(pair.a(), {.count = 0}),
            "ValueError: count must be a positive integer (got 0)");
  EXPECT_EQ(co_await text(pair.a(), {.offset = -1}),
            "ValueError: offset must be a non-negative integer (got -1)");
  EXPECT_EQ(co_await text(datagrams.a(), {}),
            "ValueError: only SOCK_STREAM type sockets are supported");
}

ASYNCIO_TEST(SockSendfileTest, AGonePeerIsAnErrorAndNoSignal) {
  SocketPair pair;
  pair.close_b();
  Result<int64_t> end =
      co_await as_result(sock_sendfile(pair.a(), file_of("x").get()));
  EXPECT_NE(end.get_if<BrokenPipeError>(), nullptr);
}

ASYNCIO_TEST(SockSendfileTest, TheFilesPositionTellsHowFarACancelledOneCame) {
  SocketPair pair;
  const std::string content = numbered_bytes(kMore);
  FileDescriptor file = file_of(content);
  Task<int64_t> task = create_task(sock_sendfile(pair.a(), file.get()));
  co_await sleep(1s);
  task.cancel();
  EXPECT_TRUE((co_await as_result(task)).cancelled());
  const off_t position = lseek(file.get(), 0, SEEK_CUR);
  EXPECT_GT(position, 0);
  EXPECT_EQ(read_now(pair.b()),
            content.substr(0, static_cast<size_t>(position)));
}

TEST(CancelSocketsTest, NoByteIsLostOrDoubled) {
  const std::string data = numbered_bytes(40);
  cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    auto pair = std::make_shared<SocketPair>();
    auto received = std::make_shared<std::string>();
    scene.start([pair, received]() -> Coroutine<> {
      while (received->size() < 40) {
        *received += co_await sock_recv(pair->b(), 7);
      }
    });
    for (size_t i = 0; i < 40; i += 10) {
      co_await sock_sendall(pair->a(), data.substr(i, 10));
      co_await sleep(1ms);
    }
    static_cast<void>(co_await scene.ended());
    EXPECT_EQ(*received + read_now(pair->b()), data);
  });
}

TEST(CancelSocketsTest, NoConnectionIsLost) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    auto listener = std::make_shared<FileDescriptor>(listening_socket());
    auto accepted = std::make_shared<int>(0);
    scene.start([listener, accepted]() -> Coroutine<> {
      while (*accepted < 2) {
        co_await sock_accept(listener->get());
        ++*accepted;
      }
    });
    const SocketAddress address = SocketAddress::local_of(listener->get());
    FileDescriptor a = tcp_socket();
    FileDescriptor b = tcp_socket();
    co_await sock_connect(a.get(), address);
    co_await sock_connect(b.get(), address);
    static_cast<void>(co_await scene.ended());
    while (*accepted < 2) {
      co_await sock_accept(listener->get());
      ++*accepted;
    }
  });
}

TEST(CancelSocketsTest, ConnectingAndSending) {
  const std::string content = numbered_bytes(1'000'000);
  cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    auto listener = std::make_shared<FileDescriptor>(listening_socket());
    auto client = std::make_shared<FileDescriptor>(tcp_socket());
    auto file = std::make_shared<FileDescriptor>(file_of(content));
    const SocketAddress address = SocketAddress::local_of(listener->get());
    // What came over all connections up to one that only says "end".
    Task<std::string> server =
        create_task([listener]() -> Coroutine<std::string> {
          std::string all;
          while (!all.ends_with("end")) {
            const Accepted accepted = co_await sock_accept(listener->get());
            all += co_await receive_all(accepted.connection.get(), 400'000);
          }
          co_return all;
        });
    scene.start([address, client, file]() -> Coroutine<> {
      co_await sock_connect(client->get(), address);
      co_await sock_sendfile(client->get(), file->get());
    });
    static_cast<void>(co_await scene.ended());
    const auto sent = static_cast<size_t>(lseek(file->get(), 0, SEEK_CUR));
    client->reset();
    FileDescriptor last = tcp_socket();
    co_await sock_connect(last.get(), address);
    co_await sock_sendall(last.get(), "end");
    last.reset();
    EXPECT_EQ(co_await server, content.substr(0, sent) + "end");
  });
}

}  // namespace
}  // namespace asyncio
