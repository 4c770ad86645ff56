#include "asyncio/streams/udp.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/sockets.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::StartsWith;

Coroutine<DatagramEndpoint> local_endpoint(DatagramOptions options = {}) {
  options.local_addr = SocketAddress("127.0.0.1", 0);
  co_return co_await create_datagram_endpoint(options);
}

Coroutine<DatagramEndpoint> connected_to(const DatagramEndpoint& server,
                                         DatagramOptions options = {}) {
  options.remote_addr = server.sockname();
  co_return co_await create_datagram_endpoint(options);
}

template <class A>
Coroutine<std::string> ending_of(A awaitable) {
  auto end = co_await as_result(std::move(awaitable));
  co_return exception_name(end.exception()) + ": " +
      exception_message(end.exception());
}

ASYNCIO_TEST(UdpTest, SendsAndReceives) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  EXPECT_EQ(client.peername(), server.sockname());
  EXPECT_FALSE(server.peername());
  co_await client.send("hello");
  auto [data, peer] = co_await server.recv();
  EXPECT_EQ(data, "hello");
  EXPECT_EQ(peer, client.sockname());
  co_await server.send("you too", peer);
  const Datagram answer = co_await client.recv();
  EXPECT_EQ(answer.data, "you too");
  EXPECT_EQ(answer.address, server.sockname());
}

ASYNCIO_TEST(UdpTest, RecvWaits) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  for (int i = 0; i < 3; ++i) {
    Task<Datagram> task = create_task(server.recv());
    co_await sleep(1s);
    EXPECT_FALSE(task.done());
    co_await client.send(std::to_string(i));
    EXPECT_EQ((co_await task).data, std::to_string(i));
  }
}

ASYNCIO_TEST(UdpTest, ByName) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client =
      co_await create_datagram_endpoint("localhost", server.sockname().port());
  EXPECT_EQ(client.peername(), server.sockname());
  co_await client.send("x");
  EXPECT_EQ((co_await server.recv()).data, "x");
}

ASYNCIO_TEST(UdpTest, OverUnixSockets) {
  std::string folder = "/tmp/udp_test_XXXXXX";
  CO_ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const SocketAddress address = SocketAddress::from_path(folder + "/s");
  // The second takes the name over from the first.
  DatagramEndpoint stale =
      co_await create_datagram_endpoint({.local_addr = address});
  DatagramEndpoint server =
      co_await create_datagram_endpoint({.local_addr = address});
  DatagramEndpoint client =
      co_await create_datagram_endpoint({.remote_addr = address});
  co_await client.send("local");
  EXPECT_EQ((co_await server.recv()).data, "local");
  unlink((folder + "/s").c_str());
  rmdir(folder.c_str());
}

ASYNCIO_TEST(UdpTest, DatagramsAreWholeAndMayBeEmpty) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  const std::string longest(65'507, 'x');
  for (const std::string& data : {std::string(), longest, std::string("end")}) {
    co_await client.send(data);
  }
  EXPECT_EQ((co_await server.recv()).data, "");
  EXPECT_EQ((co_await server.recv()).data, longest);
  EXPECT_EQ((co_await server.recv()).data, "end");
  EXPECT_EQ(co_await ending_of(client.send(longest + "x")),
            "OSError: [Errno 90] send to " + server.sockname().to_string() +
                ": Message too long");
}

ASYNCIO_TEST(UdpTest, LongerOnesThanMaxSizeAreCutOff) {
  DatagramEndpoint server = co_await local_endpoint({.max_size = 4});
  DatagramEndpoint client = co_await connected_to(server);
  co_await client.send("abcdef");
  co_await client.send("gh");
  EXPECT_EQ((co_await server.recv()).data, "abcd");
  EXPECT_EQ((co_await server.recv()).data, "gh");
}

ASYNCIO_TEST(UdpTest, Batches) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await local_endpoint();
  std::vector<Datagram> datagrams;
  for (int i = 0; i < 70; ++i) {
    datagrams.emplace_back(std::to_string(i), server.sockname());
  }
  co_await client.send_many(datagrams);
  std::vector<std::string> received;
  while (received.size() < 70) {
    std::vector<Datagram> some = co_await server.recv_many(20);
    EXPECT_LE(some.size(), 20u);
    for (const Datagram& one : some) received.push_back(one.data);
  }
  for (int i = 0; i < 70; ++i) EXPECT_EQ(received[i], std::to_string(i));
  EXPECT_FALSE(server.try_recv());
  EXPECT_TRUE((co_await server.recv_many(0)).empty());
}

ASYNCIO_TEST(UdpTest, ARefusedOneOfABatchIsTold) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await local_endpoint();
  std::vector<Datagram> datagrams;
  datagrams.emplace_back("first", server.sockname());
  datagrams.emplace_back(std::string(70'000, 'x'), server.sockname());
  datagrams.emplace_back("third", server.sockname());
  EXPECT_EQ(co_await ending_of(client.send_many(datagrams)),
            "OSError: [Errno 90] send to " + server.sockname().to_string() +
                ": Message too long");
  EXPECT_EQ((co_await server.recv()).data, "first");
  EXPECT_FALSE(server.try_recv());
}

ASYNCIO_TEST(UdpTest, ARefusalOfThePeerIsToldAndTheEndpointWorksOn) {
  DatagramEndpoint server = co_await local_endpoint();
  const SocketAddress address = server.sockname();
  DatagramEndpoint client = co_await connected_to(server);
  server.close();
  co_await client.send("nobody there");
  EXPECT_EQ(co_await ending_of(client.recv()),
            "ConnectionRefusedError: [Errno 111] recv at " +
                client.sockname().to_string() + ": Connection refused");

  co_await client.send("nobody there");
  EXPECT_EQ(co_await ending_of(client.send("not sent")),
            "ConnectionRefusedError: [Errno 111] send to " +
                address.to_string() + ": Connection refused");

  DatagramEndpoint again =
      co_await create_datagram_endpoint({.local_addr = address});
  co_await client.send("there");
  EXPECT_EQ((co_await again.recv()).data, "there");
}

ASYNCIO_TEST(UdpTest, ARefusalEndsAWait) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  Task<Datagram> waiting = create_task(client.recv());
  co_await sleep(0s);
  server.close();
  co_await client.send("nobody there");
  Result<Datagram> end = co_await as_result(waiting);
  EXPECT_NE(end.get_if<ConnectionRefusedError>(), nullptr);
}

ASYNCIO_TEST(UdpTest, AFullReceiveBufferDropsAndCounts) {
  DatagramEndpoint server = co_await local_endpoint({.receive_buffer = 2048});
  DatagramEndpoint client = co_await connected_to(server);
  constexpr int kSent = 100;
  for (int i = 0; i < kSent; ++i) co_await client.send(std::string(500, 'x'));
  int received = 0;
  while (server.try_recv()) ++received;
  EXPECT_GT(received, 0);
  EXPECT_LT(received, kSent);
  EXPECT_EQ(server.dropped(), static_cast<uint64_t>(kSent - received));
}

ASYNCIO_TEST(UdpTest, SendingWaitsForRoom) {
  // A Unix socket's sender waits for its receiver.
  SocketPair pair(SOCK_DGRAM);
  DatagramEndpoint a =
      co_await create_datagram_endpoint({.sock = dup(pair.a())});
  DatagramEndpoint b =
      co_await create_datagram_endpoint({.sock = dup(pair.b())});
  int sent = 0;
  while (a.try_send("x")) ++sent;
  EXPECT_GT(sent, 0);
  Task<> one = create_task(a.send("one"));
  std::vector<Datagram> datagrams(40, Datagram("many", {}));
  Task<> many = create_task(a.send_many(datagrams));
  co_await sleep(1s);
  EXPECT_FALSE(one.done());
  EXPECT_FALSE(many.done());
  std::multiset<std::string> rest;
  for (int i = 0; i < sent; ++i) EXPECT_EQ((co_await b.recv()).data, "x");
  for (int i = 0; i < 41; ++i) rest.insert((co_await b.recv()).data);
  co_await one;
  co_await many;
  EXPECT_EQ(rest.count("one"), 1u);
  EXPECT_EQ(rest.count("many"), 40u);
}

ASYNCIO_TEST(UdpTest, SeveralTasksReceiveInTheirOrder) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  std::vector<std::string> log;
  auto take = [&](std::string name) -> Coroutine<> {
    const Datagram datagram = co_await server.recv();
    log.push_back(name + datagram.data);
  };
  Task<> a = create_task(take("a"));
  Task<> b = create_task(take("b"));
  Task<> c = create_task(take("c"));
  co_await sleep(0s);
  b.cancel();
  co_await client.send("1");
  co_await client.send("2");
  co_await a;
  co_await c;
  EXPECT_THAT(log, ElementsAre("a1", "c2"));
  EXPECT_TRUE((co_await as_result(b)).cancelled());
}

ASYNCIO_TEST(UdpTest, ClosingTellsWhoWaits) {
  DatagramEndpoint server = co_await local_endpoint();
  Task<Datagram> receiving = create_task(server.recv());
  Task<std::optional<Datagram>> next = create_task(server.next());
  co_await sleep(0s);
  server.close();
  server.close();
  EXPECT_TRUE(server.is_closing());
  EXPECT_EQ(server.fd(), -1);
  EXPECT_EQ(co_await ending_of(std::move(receiving)),
            "RuntimeError: the datagram endpoint is closed");
  EXPECT_FALSE((co_await next).has_value());
  EXPECT_FALSE((co_await server.next()).has_value());
  EXPECT_EQ(co_await ending_of(server.send("x", {"127.0.0.1", 9})),
            "RuntimeError: the datagram endpoint is closed");
}

ASYNCIO_TEST(UdpTest, AnOperationSurvivesTheHandle) {
  Task<Datagram> receiving;
  {
    DatagramEndpoint server = co_await local_endpoint();
    receiving = create_task(server.recv());
    co_await sleep(0s);
  }
  EXPECT_EQ(co_await ending_of(std::move(receiving)),
            "RuntimeError: the datagram endpoint is closed");
}

ASYNCIO_TEST(UdpTest, ItMayBeDestroyedInTheTurnInWhichItIsReady) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  Task<Datagram> receiving = create_task(server.recv());
  co_await sleep(0s);
  co_await client.send("x");
  // Runs before the loop tells the socket of its datagram.
  get_running_loop().call_soon([&] {
    server = DatagramEndpoint();
    receiving.cancel();
  });
  EXPECT_TRUE((co_await as_result(receiving)).cancelled());
  co_await sleep(0s);
}

ASYNCIO_TEST(UdpTest, Multicast) {
  const SocketAddress group("239.192.7.9", 0);
  DatagramEndpoint receiver =
      co_await create_datagram_endpoint({.local_addr = {"0.0.0.0", 0}});
  receiver.join_group(group, "lo");
  DatagramEndpoint sender =
      co_await create_datagram_endpoint({.family = AF_INET});
  sender.set_multicast_interface("lo");
  sender.set_multicast_loop(true);
  sender.set_multicast_ttl(1);
  sender.set_ttl(10);
  co_await sender.send("all", {"239.192.7.9", receiver.sockname().port()});
  EXPECT_EQ((co_await receiver.recv()).data, "all");

  receiver.leave_group(group, "lo");
  try {
    receiver.leave_group(group, "lo");
    ADD_FAILURE();
  } catch (const OSError& e) {
    EXPECT_EQ(e.error(), EADDRNOTAVAIL);
  }
  try {
    receiver.join_group(group, "none9");
    ADD_FAILURE();
  } catch (const OSError& e) {
    EXPECT_STREQ(e.what(), "[Errno 19] if_nametoindex none9: No such device");
  }
}

ASYNCIO_TEST(UdpTest, MulticastOverIpv6) {
  DatagramEndpoint endpoint =
      co_await create_datagram_endpoint({.local_addr = {"::", 0}});
  endpoint.join_group(SocketAddress("ff02::7:9", 0), "lo");
  endpoint.set_multicast_interface("lo");
  endpoint.set_multicast_loop(true);
  endpoint.set_multicast_ttl(1);
  endpoint.set_ttl(10);
  endpoint.leave_group(SocketAddress("ff02::7:9", 0), "lo");
}

ASYNCIO_TEST(UdpTest, SeveralSocketsShareAPort) {
  DatagramEndpoint a = co_await local_endpoint({.reuse_port = true});
  DatagramEndpoint b = co_await create_datagram_endpoint(
      {.local_addr = a.sockname(), .reuse_port = true});
  EXPECT_EQ(a.sockname(), b.sockname());
  EXPECT_EQ(co_await ending_of(
                create_datagram_endpoint({.local_addr = a.sockname()})),
            "OSError: [Errno 98] bind " + a.sockname().to_string() +
                ": Address already in use");
}

ASYNCIO_TEST(UdpTest, BroadcastIsNotConnected) {
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client =
      co_await create_datagram_endpoint({.local_addr = {"127.0.0.1", 0},
                                         .remote_addr = server.sockname(),
                                         .allow_broadcast = true});
  co_await client.send("to the remote one");
  EXPECT_EQ((co_await server.recv()).data, "to the remote one");
  DatagramEndpoint other = co_await local_endpoint();
  co_await other.send("from another", client.sockname());
  EXPECT_EQ((co_await client.recv()).data, "from another");
  client.set_broadcast(false);
}

ASYNCIO_TEST(UdpTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(co_await ending_of(create_datagram_endpoint({})),
            "ValueError: unexpected address family");
  EXPECT_EQ(co_await ending_of(create_datagram_endpoint(
                {.local_addr = {"127.0.0.1", 0}, .remote_addr = {"::1", 9}})),
            "ValueError: can not get address information");
  SocketPair stream;
  EXPECT_EQ(co_await ending_of(create_datagram_endpoint({.sock = stream.a()})),
            "ValueError: A datagram socket was expected, got descriptor " +
                std::to_string(stream.a()));
  SocketPair pair(SOCK_DGRAM);
  EXPECT_EQ(co_await ending_of(create_datagram_endpoint(
                {.reuse_port = true, .sock = pair.a()})),
            "ValueError: socket modifier keyword arguments can not be used "
            "when sock is specified.");
  DatagramEndpoint server = co_await local_endpoint();
  DatagramEndpoint client = co_await connected_to(server);
  EXPECT_EQ(co_await ending_of(client.send("x", {"127.0.0.1", 9})),
            "ValueError: Invalid address: must be None or " +
                server.sockname().to_string());
  EXPECT_EQ(co_await ending_of(server.send("x")),
            "OSError: [Errno 89] send to : Destination address required");
}

TEST(UdpLoopTest, ClosingTheLoopClosesTheSocket) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  DatagramEndpoint endpoint;
  Task<> task = create_task(*loop, [&]() -> Coroutine<> {
    endpoint = co_await local_endpoint();
    get_running_loop().stop();
  });
  loop->run_forever();
  const int fd = endpoint.fd();
  EXPECT_GE(fd, 0);
  loop->close();
  EXPECT_EQ(endpoint.fd(), -1);
  EXPECT_THROW(endpoint.try_recv(), RuntimeError);
  task = Task<>();
  loop = nullptr;
}

ASYNCIO_TEST(UdpTest, AWrongThreadIsRefusedAndChangesNothing) {
  DatagramEndpoint endpoint = co_await local_endpoint();
  std::string text;
  std::thread thread([&] { text = error_of([&] { endpoint.close(); }); });
  thread.join();
  EXPECT_THAT(text, StartsWith("RuntimeError: Non-thread-safe operation"));
  EXPECT_FALSE(endpoint.is_closing());
}

TEST(UdpLoopTest, AWaitInATaskOfAnotherLoopIsRefused) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  DatagramEndpoint endpoint = run_until_complete(*loop, local_endpoint());
  run([&]() -> Coroutine<> {
    EXPECT_EQ(co_await ending_of(wait_for(endpoint.recv(), 1s)),
              "RuntimeError: <DatagramEndpoint fd=" +
                  std::to_string(endpoint.fd()) +
                  "> is bound to a different event loop");
  });
}

TEST(CancelUdpTest, NoDatagramIsLost) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    auto server = std::make_shared<DatagramEndpoint>(co_await local_endpoint());
    auto received = std::make_shared<std::vector<std::string>>();
    scene.start([server, received]() -> Coroutine<> {
      while (received->size() < 5) {
        const Datagram datagram = co_await server->recv();
        received->push_back(datagram.data);
      }
    });
    DatagramEndpoint client = co_await connected_to(*server);
    for (const char* data : {"1", "2", "3"}) {
      co_await client.send(data);
      co_await sleep(1ms);
    }
    co_await client.send("4");
    co_await client.send("5");
    static_cast<void>(co_await scene.ended());
    while (received->size() < 5) {
      const Datagram datagram = co_await server->recv();
      received->push_back(datagram.data);
    }
    EXPECT_THAT(*received, ElementsAre("1", "2", "3", "4", "5"));
  });
}

}  // namespace
}  // namespace asyncio
