// sock_recv and its like on a kernel that is as unhelpful as it may be, and
// cancelled there at every turn.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/tests/streams/faults.h"
#include "asyncio/tests/streams/sockets.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

FaultPlan hesitating(uint32_t seed) { return seeded_plan(seed); }
FaultPlan hesitating_with_datagrams(uint32_t seed) {
  return seeded_datagram_plan(seed);
}
// Where cancellations come on top.
FaultPlan often_hesitating(uint32_t seed) { return seeded_plan(seed, 2); }
FaultPlan often_hesitating_with_datagrams(uint32_t seed) {
  return seeded_datagram_plan(seed, 2);
}

// What a stream gives until its end, in pieces of many sizes.
Coroutine<std::string> receive_all(int fd) {
  std::string all;
  for (size_t size = 1;; size = size * 5 % 97) {
    const std::string part = co_await sock_recv(fd, size);
    if (part.empty()) co_return all;
    all += part;
  }
}

Coroutine<std::string> receive_all_into(int fd) {
  std::string all;
  std::array<char, 97> buffer;
  for (size_t size = 1;; size = size * 5 % 97) {
    const size_t n =
        co_await sock_recv_into(fd, std::span<char>(buffer).first(size));
    if (n == 0) co_return all;
    all.append(buffer.data(), n);
  }
}

// Sends pieces of many sizes, then the end.
Coroutine<> send_all(int fd, std::string data) {
  for (size_t at = 0, size = 1; at < data.size();
       at += size, size = size * 3 % 101) {
    size = std::min(size, data.size() - at);
    co_await sock_sendall(fd, data.substr(at, size));
  }
  shutdown(fd, SHUT_WR);
}

FileDescriptor file_of(const std::string& content) {
  FILE* file = std::tmpfile();
  std::fwrite(content.data(), 1, content.size(), file);
  std::fflush(file);
  FileDescriptor fd(fcntl(fileno(file), F_DUPFD_CLOEXEC, 0));
  std::fclose(file);
  return fd;
}

FileDescriptor unix_socket(int type = SOCK_STREAM) {
  return FileDescriptor(
      socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// At an abstract address that the kernel chooses.
FileDescriptor bound_unix_socket(int type) {
  FileDescriptor fd = unix_socket(type);
  sockaddr_storage any = {};
  any.ss_family = AF_UNIX;
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&any),
                 sizeof(sa_family_t)),
            0);
  return fd;
}

FileDescriptor unix_listener() {
  FileDescriptor fd = bound_unix_socket(SOCK_STREAM);
  EXPECT_EQ(listen(fd.get(), 100), 0);
  return fd;
}

TEST(SockFaultTest, NoByteIsLostOnAKernelThatHesitates) {
  const uint64_t faults = run_with_seeds(hesitating, []() -> Coroutine<> {
    SocketPair pair;
    const std::string data = numbered_bytes(3000);
    auto both =
        co_await gather(send_all(pair.a(), data), send_all(pair.b(), data),
                        receive_all(pair.a()), receive_all_into(pair.b()));
    EXPECT_EQ(std::get<2>(both), data);
    EXPECT_EQ(std::get<3>(both), data);
  });
  EXPECT_GT(faults, 1000u);
}

TEST(SockFaultTest, PartsOfEverySize) {
  for (size_t most = 1; most <= 33; ++most) {
    SCOPED_TRACE(most);
    FaultySystem system;
    system.plan = [most](std::string_view, uint64_t number) -> Fault {
      if (number % 5 == 3) return {.error = EINTR};
      if (number % 5 == 4) return {.error = EAGAIN};
      return {.most = most};
    };
    run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
      SocketPair pair;
      const std::string data = numbered_bytes(1000);
      auto both =
          co_await gather(receive_all(pair.a()), send_all(pair.b(), data));
      EXPECT_EQ(std::get<0>(both), data);
    });
  }
}

TEST(SockFaultTest, AResetAtEveryReceiveIsToldAndTakesNoByte) {
  const std::string data = numbered_bytes(200);
  for (const bool into : {false, true}) {
    for (uint64_t broken = 0;; ++broken) {
      SCOPED_TRACE(broken);
      FaultySystem system;
      system.plan = [broken](std::string_view call, uint64_t number) -> Fault {
        if (call != "recv") return {};
        if (number == broken) return {.error = ECONNRESET};
        return {.most = 50};
      };
      bool told = false;
      run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
        SocketPair pair;
        std::string received;
        co_await sock_sendall(pair.b(), data);
        pair.close_b();
        for (;;) {
          std::array<char, 60> buffer;
          std::string part;
          Result<> end;
          if (into) {
            Result<size_t> n = co_await as_result(
                sock_recv_into(pair.a(), std::span<char>(buffer)));
            if (n) part.assign(buffer.data(), *n);
            if (!n) end = Result<>(n.exception());
          } else {
            Result<std::string> got =
                co_await as_result(sock_recv(pair.a(), 60));
            if (got) part = *got;
            if (!got) end = Result<>(got.exception());
          }
          if (!end) {
            EXPECT_FALSE(told);
            told = true;
            EXPECT_EQ(exception_name(end.exception()), "ConnectionResetError");
            EXPECT_EQ(exception_message(end.exception()),
                      "[Errno 104] recv on descriptor " +
                          std::to_string(pair.a()) +
                          ": Connection reset by peer");
            continue;
          }
          if (part.empty()) break;
          received += part;
        }
        EXPECT_EQ(received, data);
      });
      if (!told) {
        EXPECT_GE(broken, 5u);
        break;
      }
    }
  }
}

TEST(SockFaultTest, AResetAtEverySendIsTold) {
  const std::string data = numbered_bytes(200);
  for (const int error : {ECONNRESET, EPIPE, ENOBUFS}) {
    for (uint64_t broken = 0;; ++broken) {
      SCOPED_TRACE(broken);
      FaultySystem system;
      system.plan = [=](std::string_view call, uint64_t number) -> Fault {
        if (call != "send") return {};
        if (number == broken) return {.error = error};
        return {.most = 30};
      };
      bool told = false;
      run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
        SocketPair pair;
        const std::string end = co_await ending(sock_sendall(pair.a(), data));
        told = !end.empty();
        if (told) {
          EXPECT_NE(end.find("send on descriptor"), std::string::npos) << end;
        }
        const std::string received = read_now(pair.b());
        EXPECT_EQ(received, data.substr(0, told ? 30 * broken : data.size()));
      });
      if (!told) {
        EXPECT_EQ(broken, 7u);
        break;
      }
    }
  }
}

TEST(SockFaultTest, AcceptGivesEachConnectionOnce) {
  auto plan = [](uint32_t seed) -> FaultPlan {
    auto random = std::make_shared<std::mt19937>(seed);
    return [random](std::string_view call, uint64_t) -> Fault {
      if (call != "accept" || (*random)() % 2 != 0) return {};
      constexpr std::array kErrors = {EAGAIN, EINTR};
      return {.error = kErrors[(*random)() % kErrors.size()]};
    };
  };
  run_with_seeds(plan, []() -> Coroutine<> {
    constexpr int kClients = 20;
    FileDescriptor listener = unix_listener();
    const SocketAddress address = SocketAddress::local_of(listener.get());
    std::set<std::string> seen;
    auto serve = [&](int count) -> Coroutine<> {
      for (int i = 0; i < count; ++i) {
        Accepted accepted = co_await sock_accept(listener.get());
        seen.insert(co_await sock_recv(accepted.connection.get(), 100));
      }
    };
    auto client = [&](int first, int count) -> Coroutine<> {
      for (int i = first; i < first + count; ++i) {
        FileDescriptor fd = unix_socket();
        co_await sock_connect(fd.get(), address);
        co_await sock_sendall(fd.get(), std::to_string(i));
      }
    };
    co_await gather(serve(kClients / 2), client(0, kClients / 2),
                    serve(kClients / 2), client(kClients / 2, kClients / 2));
    EXPECT_EQ(seen.size(), static_cast<size_t>(kClients));
  });
}

TEST(SockFaultTest, AcceptTellsWhatItIsNotToAsk) {
  for (const int error : {ECONNABORTED, EMFILE}) {
    FaultySystem system;
    system.plan = [error](std::string_view call, uint64_t number) -> Fault {
      if (call == "accept" && number == 0) return {.error = error};
      return {};
    };
    run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
      FileDescriptor listener = unix_listener();
      FileDescriptor client = unix_socket();
      const SocketAddress address = SocketAddress::local_of(listener.get());
      co_await sock_connect(client.get(), address);
      const std::string end = co_await ending(sock_accept(listener.get()));
      EXPECT_NE(end.find("accept on descriptor"), std::string::npos) << end;
      // It has not taken the connection.
      Accepted accepted = co_await sock_accept(listener.get());
      EXPECT_TRUE(accepted.connection);
    });
  }
}

TEST(SockFaultTest, ConnectThatWasInterruptedGoesOn) {
  for (const int error : {EINTR, EINPROGRESS}) {
    for (uint32_t seed = 0; seed < 10; ++seed) {
      FaultySystem system;
      system.plan = [error](std::string_view call, uint64_t) -> Fault {
        if (call == "connect") return {.error = error, .made = true};
        return {};
      };
      run_with_faults(system, {.seed = seed, .rarity = 2}, []() -> Coroutine<> {
        FileDescriptor listener = listening_socket();
        FileDescriptor client = tcp_socket();
        const SocketAddress address = SocketAddress::local_of(listener.get());
        co_await sock_connect(client.get(), address);
        co_await sock_sendall(client.get(), "x");
        Accepted accepted = co_await sock_accept(listener.get());
        const std::string got =
            co_await sock_recv(accepted.connection.get(), 10);
        EXPECT_EQ(got, "x");
      });
    }
  }
}

TEST(SockFaultTest, ConnectTellsARefusalThatCameLater) {
  FaultySystem system;
  system.plan = [](std::string_view call, uint64_t) -> Fault {
    if (call == "connect") return {.error = EINTR, .made = true};
    return {};
  };
  run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
    FileDescriptor dead = bound_socket(SOCK_STREAM);
    FileDescriptor client = tcp_socket();
    const SocketAddress address = SocketAddress::local_of(dead.get());
    const std::string end =
        co_await ending(sock_connect(client.get(), address));
    EXPECT_EQ(end, "ConnectionRefusedError: [Errno 111] connect to " +
                       address.to_string() + ": Connection refused");
  });
}

TEST(SockFaultTest, EachDatagramOnce) {
  const uint64_t faults = run_with_seeds(hesitating_with_datagrams, []() -> Coroutine<> {
    constexpr int kCount = 50;
    FileDescriptor a = bound_socket(SOCK_DGRAM);
    FileDescriptor b = bound_socket(SOCK_DGRAM);
    const SocketAddress from = SocketAddress::local_of(a.get());
    const SocketAddress to = SocketAddress::local_of(b.get());
    auto send = [&]() -> Coroutine<> {
      for (int i = 0; i < kCount; ++i) {
        const std::string data = std::to_string(i);
        const size_t n = co_await sock_sendto(a.get(), data, to);
        EXPECT_EQ(n, data.size());
      }
    };
    std::set<std::string> seen;
    auto receive = [&]() -> Coroutine<> {
      for (int i = 0; i < kCount; ++i) {
        const Datagram datagram = co_await sock_recvfrom(b.get(), 100);
        EXPECT_EQ(datagram.address, from);
        seen.insert(datagram.data);
      }
    };
    co_await gather(send(), receive());
    EXPECT_EQ(seen.size(), static_cast<size_t>(kCount));
  });
  EXPECT_GT(faults, 500u);
}

TEST(SockFaultTest, SendfileInPartsOfEverySize) {
  const std::string content = numbered_bytes(3000);
  run_with_seeds(hesitating, [&]() -> Coroutine<> {
    SocketPair pair;
    FileDescriptor file = file_of(content);
    auto send = [&]() -> Coroutine<> {
      const int64_t n =
          co_await sock_sendfile(pair.a(), file.get(), {.offset = 7});
      EXPECT_EQ(n, 2993);
      shutdown(pair.a(), SHUT_WR);
    };
    auto both = co_await gather(send(), receive_all(pair.b()));
    EXPECT_EQ(std::get<1>(both), content.substr(7));
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 3000);
  });
}

TEST(SockFaultTest, SendfileFromAPipeInPartsOfEverySize) {
  const std::string content = numbered_bytes(3000);
  run_with_seeds(hesitating, [&]() -> Coroutine<> {
    SocketPair pair;
    std::array<int, 2> ends;
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    FileDescriptor out(ends[0]);
    FileDescriptor in(ends[1]);
    auto put = [&]() -> Coroutine<> {
      for (size_t at = 0; at < content.size(); at += 500) {
        EXPECT_EQ(write(in.get(), content.data() + at, 500), 500);
        co_await turns(3);
      }
      in.reset();
    };
    auto send = [&]() -> Coroutine<> {
      const int64_t n = co_await sock_sendfile(pair.a(), out.get());
      EXPECT_EQ(n, 3000);
      shutdown(pair.a(), SHUT_WR);
    };
    auto all = co_await gather(put(), send(), receive_all(pair.b()));
    EXPECT_EQ(std::get<2>(all), content);
  });
}

// --- Cancelled at every turn.

// `receive` gives some bytes of a descriptor. Those that it has not given when it is
// cancelled are still there.
void cancel_receives(const std::function<Coroutine<std::string>(int)>& receive) {
  const std::string data = numbered_bytes(60);
  cancel_with_seeds(often_hesitating, [&](CancelScene& scene) -> Coroutine<> {
    SocketPair pair;
    std::string received;
    auto receive_all = [&]() -> Coroutine<> {
      while (received.size() < data.size()) {
        received += co_await receive(pair.a());
      }
    };
    scene.start(receive_all);
    for (size_t at = 0; at < data.size(); at += 10) {
      EXPECT_EQ(write(pair.b(), data.data() + at, 10), 10);
      co_await turns(2);
    }
    static_cast<void>(co_await scene.ended());
    EXPECT_EQ(received + read_now(pair.a()), data);
  });
}

TEST(SockFaultCancelTest, AReceiveTakesNoByteWithIt) {
  cancel_receives([](int fd) -> Coroutine<std::string> {
    co_return co_await sock_recv(fd, 7);
  });
}

TEST(SockFaultCancelTest, AReceiveIntoTakesNoByteWithIt) {
  cancel_receives([](int fd) -> Coroutine<std::string> {
    std::string part(7, '\0');
    part.resize(co_await sock_recv_into(fd, std::span<char>(part)));
    co_return part;
  });
}

TEST(SockFaultCancelTest, ASendSendsABeginning) {
  const std::string data = numbered_bytes(200);
  cancel_with_seeds(often_hesitating, [&](CancelScene& scene) -> Coroutine<> {
    SocketPair pair;
    auto send = [&]() -> Coroutine<> {
      for (size_t at = 0; at < data.size(); at += 20) {
        co_await sock_sendall(pair.a(), data.substr(at, 20));
      }
    };
    scene.start(send);
    const Result<> end = co_await scene.ended();
    const std::string received = read_now(pair.b());
    EXPECT_EQ(received, data.substr(0, received.size()));
    if (end.has_value()) {
      EXPECT_EQ(received.size(), data.size());
    }
  });
}

TEST(SockFaultCancelTest, AnAcceptTakesNoConnectionWithIt) {
  auto plan = [](uint32_t seed) -> FaultPlan {
    return [seed](std::string_view call, uint64_t number) -> Fault {
      if (call != "accept" || (number + seed) % 3 == 0) return {};
      return {.error = (number + seed) % 3 == 1 ? EAGAIN : EINTR};
    };
  };
  cancel_with_seeds(plan, [](CancelScene& scene) -> Coroutine<> {
    constexpr int kClients = 5;
    FileDescriptor listener = unix_listener();
    const SocketAddress address = SocketAddress::local_of(listener.get());
    std::vector<FileDescriptor> clients;
    std::string seen;
    auto serve = [&]() -> Coroutine<> {
      for (int i = 0; i < kClients; ++i) {
        Accepted accepted = co_await sock_accept(listener.get());
        seen += read_now(accepted.connection.get());
      }
    };
    scene.start(serve);
    std::string sent;
    for (int i = 0; i < kClients; ++i) {
      FileDescriptor fd = unix_socket();
      EXPECT_EQ(connect(fd.get(), address.data(), address.size()), 0);
      EXPECT_EQ(write(fd.get(), std::to_string(i).data(), 1), 1);
      sent += std::to_string(i);
      clients.push_back(std::move(fd));
      co_await turns();
    }
    static_cast<void>(co_await scene.ended());
    for (;;) {
      FileDescriptor left(
          accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
      if (!left) break;
      seen += read_now(left.get());
    }
    EXPECT_EQ(seen, sent);
  });
}

TEST(SockFaultCancelTest, AReceiveTakesNoDatagramWithIt) {
  cancel_with_seeds(often_hesitating_with_datagrams, [](CancelScene& scene) -> Coroutine<> {
    constexpr int kCount = 6;
    SocketPair pair(SOCK_DGRAM);
    std::string seen;
    auto receive = [&]() -> Coroutine<> {
      for (int i = 0; i < kCount; ++i) {
        seen += (co_await sock_recvfrom(pair.a(), 100)).data;
      }
    };
    scene.start(receive);
    std::string sent;
    for (int i = 0; i < kCount; ++i) {
      EXPECT_EQ(write(pair.b(), std::to_string(i).data(), 1), 1);
      sent += std::to_string(i);
      co_await turns();
    }
    static_cast<void>(co_await scene.ended());
    EXPECT_EQ(seen + read_now(pair.a()), sent);
  });
}

TEST(SockFaultCancelTest, ASendOfADatagramDoesItOrNot) {
  cancel_with_seeds(often_hesitating_with_datagrams, [](CancelScene& scene) -> Coroutine<> {
    FileDescriptor a = unix_socket(SOCK_DGRAM);
    FileDescriptor b = bound_unix_socket(SOCK_DGRAM);
    const SocketAddress to = SocketAddress::local_of(b.get());
    size_t sent = 0;
    auto send = [&]() -> Coroutine<> {
      for (int i = 0; i < 6; ++i) {
        co_await sock_sendto(a.get(), "x", to);
        ++sent;
      }
    };
    scene.start(send);
    static_cast<void>(co_await scene.ended());
    // The last, after which nothing comes.
    co_await sock_sendto(a.get(), "end", to);
    size_t received = 0;
    for (;; ++received) {
      const Datagram datagram = co_await sock_recvfrom(b.get(), 100);
      if (datagram.data == "end") break;
    }
    EXPECT_EQ(received, sent);
  });
}

TEST(SockFaultCancelTest, AConnectLeavesTheSocketToItsOwner) {
  auto plan = [](uint32_t) -> FaultPlan {
    return [](std::string_view call, uint64_t) -> Fault {
      if (call == "connect") return {.error = EINTR, .made = true};
      return {};
    };
  };
  cancel_with_seeds(plan, [](CancelScene& scene) -> Coroutine<> {
    FileDescriptor listener = listening_socket();
    FileDescriptor client = tcp_socket();
    const SocketAddress address = SocketAddress::local_of(listener.get());
    scene.start(sock_connect(client.get(), address));
    const Result<> end = co_await scene.ended();
    if (end.has_value()) {
      EXPECT_EQ(write(client.get(), "x", 1), 1);
    }
    // Nothing watches it any more: the number may be used again.
    client.reset();
    FileDescriptor other = tcp_socket();
    co_await sock_connect(other.get(), address);
  });
}

}  // namespace
}  // namespace asyncio
