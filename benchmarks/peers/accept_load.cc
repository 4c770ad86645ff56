// Opens connections to a server that closes them at once, and counts them.
//
//   c++ -std=c++20 -O2 accept_load.cc -o accept_load
//   accept_load PORT AT_ONCE COUNT
//
// Connects to 127.0.0.1, waits until the server has closed the connection,
// gives it up, and opens the next: AT_ONCE of them under way, COUNT in all.
// Prints
//
//   requests=N seconds=S per_s=R p50_us=A p99_us=B
//
// where a latency is from connect() to the server's close. It gives up after two
// minutes.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/epoll.h>
#include <vector>

#include "echo.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "accept_load: %s\n", why);
  std::exit(1);
}

class Client {
 public:
  void connect_to(int epoll, int port, uint64_t number) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    started_ = Clock::now();
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(fd_ >= 0, "socket");
    // A reset: neither side keeps the pair of ports for a minute.
    const linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    const int status =
        connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    check(status == 0 || errno == EINPROGRESS, "connect");
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = number;
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) == 0, "epoll_ctl");
  }
  // Whether the server has closed.
  bool ended() {
    char byte;
    const ssize_t n = recv(fd_, &byte, 1, 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n != 0) give_up("a connection ended in another way than by a close");
    close(fd_);
    return true;
  }
  Clock::duration latency() const { return Clock::now() - started_; }

 private:
  int fd_ = -1;
  Clock::time_point started_;
};

double microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) give_up("usage: accept_load PORT AT_ONCE COUNT");
  const int port = std::atoi(argv[1]);
  const int64_t at_once = std::atoll(argv[2]);
  const int64_t count = std::atoll(argv[3]);
  if (at_once <= 0 || count < at_once) give_up("at least one at once");
  alarm(120);

  const int epoll = epoll_create1(0);
  std::vector<Client> clients(static_cast<size_t>(at_once));
  std::vector<Clock::duration> latencies;
  latencies.reserve(static_cast<size_t>(count));
  int64_t opened = 0;
  const Clock::time_point start = Clock::now();
  for (Client& c : clients) {
    c.connect_to(epoll, port, static_cast<uint64_t>(opened));
    ++opened;
  }
  std::vector<epoll_event> events(256);
  while (static_cast<int64_t>(latencies.size()) < count) {
    const int ready =
        epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const uint64_t number = events[static_cast<size_t>(i)].data.u64;
      Client& c = clients[number];
      if (!c.ended()) continue;
      latencies.push_back(c.latency());
      if (opened < count) {
        c.connect_to(epoll, port, number);
        ++opened;
      }
    }
  }
  const double seconds =
      std::chrono::duration<double>(Clock::now() - start).count();

  std::sort(latencies.begin(), latencies.end());
  const size_t last = latencies.size() - 1;
  std::printf("requests=%lld seconds=%.3f per_s=%.0f p50_us=%.1f p99_us=%.1f\n",
              static_cast<long long>(count), seconds,
              static_cast<double>(count) / seconds,
              microseconds(latencies[last / 2]),
              microseconds(latencies[last * 99 / 100]));
  return 0;
}
