// What a datagram costs: there and back between two sockets of one loop, by the
// system's calls alone, by DatagramEndpoint, by sock_sendto and sock_recvfrom;
// and one way, one by one and in batches.
//
//   bazel run --config=opt //benchmarks/streams:udp_benchmark
//
// An item is a datagram. `allocations` are calls of operator new by datagram;
// the 16 bytes that each carries do not fit into a std::string itself.

#include "asyncio/streams/udp.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/report_allocations.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using benchmarks::Allocations;

const std::string kData(16, 'x');

void check(bool good) {
  if (!good) std::abort();
}

FileDescriptor bound() {
  FileDescriptor fd(
      socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const SocketAddress any("127.0.0.1", 0);
  check(bind(fd.get(), any.data(), any.size()) == 0);
  return fd;
}

// Baseline: what any server does that waits for its datagrams.
void BM_PingPongOfSystemCalls(benchmark::State& state) {
  const FileDescriptor a = bound();
  const FileDescriptor b = bound();
  const FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  for (int fd : {a.get(), b.get()}) {
    epoll_event event = {};
    event.events = EPOLLIN;
    check(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0);
  }
  SocketAddress to = SocketAddress::local_of(b.get());
  std::array<char, 65536> buffer;
  auto pass_on = [&](int from, int into) {
    check(sendto(from, kData.data(), kData.size(), 0, to.data(), to.size()) >
          0);
    epoll_event event;
    check(epoll_wait(epoll.get(), &event, 1, -1) == 1);
    sockaddr_storage storage;
    socklen_t size = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    check(recvfrom(into, buffer.data(), buffer.size(), 0, address, &size) > 0);
    to = SocketAddress::from_sockaddr(address, size);
  };
  for (auto _ : state) {
    pass_on(a.get(), b.get());
    pass_on(b.get(), a.get());
  }
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_PingPongOfSystemCalls);

Coroutine<DatagramEndpoint> local_endpoint() {
  co_return co_await create_datagram_endpoint({.local_addr = {"127.0.0.1", 0}});
}

Coroutine<> send_back(const DatagramEndpoint& endpoint) {
  while (auto datagram = co_await endpoint.next()) {
    co_await endpoint.send(std::move(datagram->data), datagram->address);
  }
}

void BM_PingPong(benchmark::State& state) {
  auto body = [&]() -> Coroutine<> {
    DatagramEndpoint a = co_await local_endpoint();
    DatagramEndpoint b = co_await local_endpoint();
    const SocketAddress to = b.sockname();
    Task<> other = create_task(send_back(b));
    const Allocations counted;
    for (auto _ : state) {
      co_await a.send(kData, to);
      const Datagram datagram = co_await a.recv();
      check(datagram.data.size() == kData.size());
    }
    counted.report(state, 2 * state.iterations());
    b.close();
    co_await other;
  };
  run(body());
}
BENCHMARK(BM_PingPong);

Coroutine<> send_back_raw(int fd) {
  for (;;) {
    Datagram datagram = co_await sock_recvfrom(fd, 65536);
    if (datagram.data.empty()) co_return;
    co_await sock_sendto(fd, std::move(datagram.data), datagram.address);
  }
}

void BM_PingPongOfRawSockets(benchmark::State& state) {
  auto body = [&]() -> Coroutine<> {
    const FileDescriptor a = bound();
    const FileDescriptor b = bound();
    const SocketAddress to = SocketAddress::local_of(b.get());
    Task<> other = create_task(send_back_raw(b.get()));
    for (auto _ : state) {
      co_await sock_sendto(a.get(), kData, to);
      const Datagram datagram = co_await sock_recvfrom(a.get(), 65536);
      check(datagram.data.size() == kData.size());
    }
    co_await sock_sendto(a.get(), "", to);
    co_await other;
  };
  run(body());
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(BM_PingPongOfRawSockets);

// As many datagrams as are told, one way, then received.
void BM_OneByOne(benchmark::State& state) {
  auto body = [&]() -> Coroutine<> {
    DatagramEndpoint a = co_await local_endpoint();
    DatagramEndpoint b = co_await local_endpoint();
    const SocketAddress to = b.sockname();
    for (auto _ : state) {
      for (int64_t i = 0; i < state.range(0); ++i) co_await a.send(kData, to);
      for (int64_t i = 0; i < state.range(0); ++i) co_await b.recv();
    }
  };
  run(body());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_OneByOne)->Arg(1)->Arg(8)->Arg(32);

void BM_Batches(benchmark::State& state) {
  auto body = [&]() -> Coroutine<> {
    DatagramEndpoint a = co_await local_endpoint();
    DatagramEndpoint b = co_await local_endpoint();
    const std::vector<Datagram> datagrams(static_cast<size_t>(state.range(0)),
                                          Datagram(kData, b.sockname()));
    for (auto _ : state) {
      co_await a.send_many(datagrams);
      for (size_t got = 0; got < datagrams.size();) {
        const std::vector<Datagram> some = co_await b.recv_many();
        got += some.size();
      }
    }
  };
  run(body());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Batches)->Arg(1)->Arg(8)->Arg(32);

}  // namespace
}  // namespace asyncio
