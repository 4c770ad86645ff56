// Loads an echo server and checks what comes back.
//
//   c++ -std=c++20 -O2 echo_load.cc -o echo_load
//   echo_load PORT CONNECTIONS BYTES REQUESTS
//
// Opens the connections to 127.0.0.1, and sends on each a message of so many
// bytes, waits for all of it to come back, and sends the next: until there were
// REQUESTS in all. Every message is another (its connection and its number go
// into each word of it), and every byte is compared. Prints
//
//   requests=N seconds=S per_s=R p50_us=A p99_us=B
//
// It gives up after two minutes, and at the first byte that is wrong.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>
#include <vector>

#include "echo.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "echo_load: %s\n", why);
  std::exit(1);
}

class Connection {
 public:
  Connection(int fd, uint64_t number, size_t bytes)
      : fd_(fd), number_(number), message_(bytes), echo_(bytes) {}

  void send_next() {
    ++sent_;
    for (size_t i = 0; i < message_.size(); i += sizeof(uint64_t)) {
      const uint64_t word = number_ << 48 ^ sent_ << 16 ^ i;
      std::memcpy(&message_[i], &word,
                  std::min(sizeof(word), message_.size() - i));
    }
    received_ = 0;
    started_ = Clock::now();
    const ssize_t n = send(fd_, message_.data(), message_.size(), MSG_NOSIGNAL);
    // One message a connection fits into every socket's buffer.
    if (n != static_cast<ssize_t>(message_.size())) give_up("short send");
  }
  // Whether the message is back whole.
  bool receive() {
    const ssize_t n =
        recv(fd_, echo_.data() + received_, echo_.size() - received_, 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) give_up("the server closed a connection");
    received_ += static_cast<size_t>(n);
    if (received_ < echo_.size()) return false;
    if (echo_ != message_) give_up("another message came back");
    return true;
  }
  Clock::duration latency() const { return Clock::now() - started_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  uint64_t number_;
  uint64_t sent_ = 0;
  std::vector<char> message_;
  std::vector<char> echo_;
  size_t received_ = 0;
  Clock::time_point started_;
};

int connect_to(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  check(
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
      "connect");
  set_no_delay(fd);
  check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  return fd;
}

double microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) give_up("usage: echo_load PORT CONNECTIONS BYTES REQUESTS");
  const int port = std::atoi(argv[1]);
  const int64_t n = std::atoll(argv[2]);
  const auto bytes = static_cast<size_t>(std::atoll(argv[3]));
  const int64_t requests = std::atoll(argv[4]);
  if (n <= 0 || bytes == 0 || bytes > 65536 || requests < n) {
    give_up("at least a request a connection, of 1 to 65536 bytes");
  }
  alarm(120);

  const int epoll = epoll_create1(0);
  std::vector<Connection> connections;
  for (int64_t i = 0; i < n; ++i) {
    connections.emplace_back(connect_to(port), static_cast<uint64_t>(i), bytes);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<uint64_t>(i);
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, connections.back().fd(), &event) == 0,
          "epoll_ctl");
  }

  std::vector<Clock::duration> latencies;
  latencies.reserve(static_cast<size_t>(requests));
  int64_t sent = 0;
  const Clock::time_point start = Clock::now();
  for (Connection& c : connections) {
    c.send_next();
    ++sent;
  }
  std::vector<epoll_event> events(256);
  while (static_cast<int64_t>(latencies.size()) < requests) {
    const int ready =
        epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      Connection& c = connections[events[static_cast<size_t>(i)].data.u64];
      if (!c.receive()) continue;
      latencies.push_back(c.latency());
      if (sent < requests) {
        c.send_next();
        ++sent;
      }
    }
  }
  const double seconds =
      std::chrono::duration<double>(Clock::now() - start).count();

  std::sort(latencies.begin(), latencies.end());
  const size_t last = latencies.size() - 1;
  std::printf("requests=%lld seconds=%.3f per_s=%.0f p50_us=%.1f p99_us=%.1f\n",
              static_cast<long long>(requests), seconds,
              static_cast<double>(requests) / seconds,
              microseconds(latencies[last / 2]),
              microseconds(latencies[last * 99 / 100]));
  return 0;
}
