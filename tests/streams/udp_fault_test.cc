// DatagramEndpoint on a kernel that is as unhelpful as it may be, and cancelled
// there at every turn.
//
// Over Unix sockets: they keep the order, lose nothing, and are soon full.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/udp.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/tests/streams/faults.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

FaultPlan hesitating(uint32_t seed) { return seeded_datagram_plan(seed); }
// Where cancellations come on top.
FaultPlan often_hesitating(uint32_t seed) {
  return seeded_datagram_plan(seed, 2);
}

constexpr int kCount = 100;  // more than a socket's queue holds, and a batch

// Two ends that are connected.
Coroutine<std::pair<DatagramEndpoint, DatagramEndpoint>> endpoints() {
  std::array<int, 2> fds;
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  DatagramEndpoint a = co_await create_datagram_endpoint({.sock = fds[0]});
  DatagramEndpoint b = co_await create_datagram_endpoint({.sock = fds[1]});
  co_return std::pair<DatagramEndpoint, DatagramEndpoint>(std::move(a),
                                                          std::move(b));
}

std::vector<Datagram> numbered_datagrams(int first, int last) {
  std::vector<Datagram> datagrams;
  for (int i = first; i < last; ++i) {
    datagrams.emplace_back(std::to_string(i), SocketAddress());
  }
  return datagrams;
}

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

// All that is there, whatever the kernel says in between.
Coroutine<> drain(const DatagramEndpoint& endpoint,
                  std::vector<std::string>& received) {
  for (int misses = 0; misses < 50;) {
    std::optional<Datagram> datagram = endpoint.try_recv();
    if (datagram) {
      received.push_back(datagram->data);
    } else {
      ++misses;
      // A wait, so that the endpoint asks again.
      auto waiting = create_task(endpoint.recv());
      co_await turns();
      waiting.cancel();
      const Result<Datagram> got = co_await as_result(waiting);
      if (got) received.push_back(got->data);
    }
  }
}

TEST(UdpFaultTest, EachDatagramOnceAndInOrder) {
  const uint64_t faults = run_with_seeds(hesitating, []() -> Coroutine<> {
    auto [a, b] = co_await endpoints();
    auto send = [](const DatagramEndpoint& to) -> Coroutine<> {
      for (int i = 0; i < kCount / 2; ++i) {
        co_await to.send(std::to_string(i));
      }
      co_await to.send_many(numbered_datagrams(kCount / 2, kCount));
    };
    std::vector<std::string> one_by_one;
    auto receive = [&]() -> Coroutine<> {
      while (one_by_one.size() < kCount) {
        one_by_one.push_back((co_await b.recv()).data);
      }
    };
    std::vector<std::string> by_dozens;
    auto receive_many = [&]() -> Coroutine<> {
      while (by_dozens.size() < kCount) {
        for (Datagram& datagram : co_await a.recv_many(7)) {
          by_dozens.push_back(std::move(datagram.data));
        }
      }
    };
    co_await gather(send(a), send(b), receive(), receive_many());
    EXPECT_EQ(one_by_one, numbers(kCount));
    EXPECT_EQ(by_dozens, numbers(kCount));
  });
  EXPECT_GT(faults, 1000u);
}

TEST(UdpFaultTest, BatchesOfEverySize) {
  for (size_t most = 1; most <= 9; ++most) {
    SCOPED_TRACE(most);
    FaultySystem system;
    system.plan = [most](std::string_view call, uint64_t number) -> Fault {
      if (number % 5 == 3) return {.error = EINTR};
      if (number % 5 == 4) return {.error = EAGAIN};
      if (call == "sendmmsg" || call == "recvmmsg") return {.most = most};
      return {};
    };
    run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
      auto [a, b] = co_await endpoints();
      std::vector<std::string> received;
      auto receive = [&]() -> Coroutine<> {
        while (received.size() < kCount) {
          for (Datagram& datagram : co_await b.recv_many()) {
            received.push_back(std::move(datagram.data));
          }
        }
      };
      co_await gather(a.send_many(numbered_datagrams(0, kCount)), receive());
      EXPECT_EQ(received, numbers(kCount));
    });
  }
}

TEST(UdpFaultTest, ARefusalAtEverySendIsToldAndThatOneWasNotSent) {
  for (const int error : {ECONNREFUSED, ENOBUFS}) {
    for (uint64_t broken = 0; broken < 5; ++broken) {
      SCOPED_TRACE(broken);
      FaultySystem system;
      system.plan = [=](std::string_view call, uint64_t number) -> Fault {
        if (call == "sendmsg" && number == broken) return {.error = error};
        return {};
      };
      run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
        auto [a, b] = co_await endpoints();
        std::vector<std::string> sent;
        for (int i = 0; i < 5; ++i) {
          const std::string data = std::to_string(i);
          const std::string end = co_await ending(a.send(data));
          if (end.empty()) sent.push_back(data);
          if (static_cast<uint64_t>(i) == broken) {
            EXPECT_NE(end.find("send to"), std::string::npos) << end;
          } else {
            EXPECT_EQ(end, "");
          }
        }
        EXPECT_EQ(sent.size(), 4u);
        std::vector<std::string> received;
        while (received.size() < sent.size()) {
          received.push_back((co_await b.recv()).data);
        }
        EXPECT_EQ(received, sent);
        EXPECT_FALSE(b.try_recv());
      });
    }
  }
}

TEST(UdpFaultTest, ARefusalAmongABatchIsToldBehindWhatWent) {
  for (const int error : {ECONNREFUSED, ENOBUFS}) {
    for (uint64_t broken = 0; broken < 5; ++broken) {
      SCOPED_TRACE(broken);
      FaultySystem system;
      system.plan = [=](std::string_view call, uint64_t number) -> Fault {
        if (call != "sendmmsg") return {};
        if (number == broken) return {.error = error};
        return {.most = 2};
      };
      run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
        auto [a, b] = co_await endpoints();
        const std::string end =
            co_await ending(a.send_many(numbered_datagrams(0, 10)));
        EXPECT_NE(end.find("send to"), std::string::npos) << end;
        // It works on after it.
        co_await a.send("end");
        std::vector<std::string> expected =
            numbers(static_cast<int>(2 * broken));
        expected.push_back("end");
        std::vector<std::string> received;
        while (received.size() < expected.size()) {
          received.push_back((co_await b.recv()).data);
        }
        EXPECT_EQ(received, expected);
        EXPECT_FALSE(b.try_recv());
      });
    }
  }
}

TEST(UdpFaultTest, ARefusalAtEveryReceiveIsToldAndTakesNoDatagram) {
  for (uint64_t broken = 0;; ++broken) {
    SCOPED_TRACE(broken);
    FaultySystem system;
    system.plan = [broken](std::string_view call, uint64_t number) -> Fault {
      if (call != "recvmmsg") return {};
      if (number == broken) return {.error = ECONNREFUSED};
      return {.most = 3};
    };
    bool told = false;
    run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
      auto [a, b] = co_await endpoints();
      co_await a.send_many(numbered_datagrams(0, 9));
      std::vector<std::string> received;
      while (received.size() < 9) {
        Result<Datagram> datagram = co_await as_result(b.recv());
        if (datagram) {
          received.push_back(std::move(datagram->data));
        } else {
          EXPECT_FALSE(told);
          EXPECT_EQ(exception_name(datagram.exception()),
                    "ConnectionRefusedError");
          told = true;
        }
      }
      EXPECT_EQ(received, numbers(9));
    });
    if (!told) {
      EXPECT_GE(broken, 3u);
      break;
    }
  }
}

// --- Cancelled at every turn.

// `receive` gives some datagrams. Those that it has not given when it is cancelled
// are still there.
void cancel_receives(
    const std::function<Coroutine<std::vector<Datagram>>(
        const DatagramEndpoint&)>& receive) {
  cancel_with_seeds(often_hesitating, [&](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await endpoints();
    const DatagramEndpoint& from = b;
    std::vector<std::string> received;
    auto receive_all = [&]() -> Coroutine<> {
      while (received.size() < 9) {
        for (Datagram& datagram : co_await receive(from)) {
          received.push_back(std::move(datagram.data));
        }
      }
    };
    scene.start(receive_all);
    for (int i = 0; i < 9; i += 3) {
      co_await a.send_many(numbered_datagrams(i, i + 3));
      co_await turns(2);
    }
    static_cast<void>(co_await scene.ended());
    co_await drain(b, received);
    EXPECT_EQ(received, numbers(9));
  });
}

TEST(UdpFaultCancelTest, AReceiveTakesNoDatagramWithIt) {
  cancel_receives(
      [](const DatagramEndpoint& from) -> Coroutine<std::vector<Datagram>> {
        std::vector<Datagram> one;
        one.push_back(co_await from.recv());
        co_return std::move(one);
      });
}

TEST(UdpFaultCancelTest, AReceiveOfManyTakesNoDatagramWithIt) {
  cancel_receives(
      [](const DatagramEndpoint& from) -> Coroutine<std::vector<Datagram>> {
        co_return co_await from.recv_many(2);
      });
}

TEST(UdpFaultCancelTest, ASendDoesItOrNot) {
  cancel_with_seeds(often_hesitating, [](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await endpoints();
    const DatagramEndpoint& to = a;
    int sent = 0;
    auto send = [&]() -> Coroutine<> {
      for (; sent < 20; ++sent) co_await to.send(std::to_string(sent));
    };
    scene.start(send);
    std::vector<std::string> received;
    for (int i = 0; i < 5; ++i) {
      co_await turns(2);
      co_await drain(b, received);
    }
    static_cast<void>(co_await scene.ended());
    co_await drain(b, received);
    EXPECT_EQ(received, numbers(sent));
  });
}

TEST(UdpFaultCancelTest, ASendOfManySendsABeginning) {
  cancel_with_seeds(often_hesitating, [](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await endpoints();
    scene.start(a.send_many(numbered_datagrams(0, 30)));
    std::vector<std::string> received;
    for (int i = 0; i < 5; ++i) {
      co_await turns(2);
      co_await drain(b, received);
    }
    const Result<> end = co_await scene.ended();
    co_await drain(b, received);
    EXPECT_EQ(received, numbers(static_cast<int>(received.size())));
    if (end.has_value()) {
      EXPECT_EQ(received.size(), 30u);
    }
  });
}

}  // namespace
}  // namespace asyncio
