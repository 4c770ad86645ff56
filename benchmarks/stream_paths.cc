#include "asyncio/benchmarks/stream_paths.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/benchmarks/measurement.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using std::chrono_literals::operator""s;

constexpr size_t kMessage = 64;

void require(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::abort();
}

struct Pair {
  int ours;
  int theirs;
};
Pair make_pair() {
  int fds[2];
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                     fds) == 0,
          "socketpair");
  return {fds[0], fds[1]};
}

void send_all(int fd, std::string_view data) {
  require(send(fd, data.data(), data.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(data.size()),
          "send");
}

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  char buffer[4096];
  while (true) {
    const size_t size = co_await reader.read_into(buffer);
    if (size == 0) break;
    writer.write(std::string_view(buffer, size));
    co_await writer.drain();
  }
}

// So many of `message`, one after the other.
std::string repeated(std::string_view message, int64_t times) {
  std::string all;
  for (int64_t i = 0; i < times; ++i) all += message;
  return all;
}

}  // namespace

Coroutine<> echo_path(Measurement& m) {
  std::vector<int> peers;
  std::vector<Task<>> handlers;
  for (int64_t i = 0; i < m.size; ++i) {
    const Pair pair = make_pair();
    peers.push_back(pair.theirs);
    Connection c = co_await open_unix_connection({.sock = pair.ours});
    handlers.push_back(
        create_task(echo(std::move(c.reader), std::move(c.writer))));
  }
  const std::string message(kMessage, 'm');
  char answer[kMessage];
  m.start();
  for (int64_t i = 0; i < m.count / m.size; ++i) {
    for (const int fd : peers) send_all(fd, message);
    for (const int fd : peers) {
      while (recv(fd, answer, sizeof(answer), 0) !=
             static_cast<ssize_t>(sizeof(answer))) {
        co_await sleep(0s);
      }
    }
  }
  m.stop();
  for (const int fd : peers) close(fd);
  for (auto& handler : handlers) co_await handler;
}

Coroutine<> lines_path(Measurement& m) {
  const Pair pair = make_pair();
  Connection c = co_await open_unix_connection({.sock = pair.ours});
  const std::string lines =
      repeated(std::string(kMessage - 1, 'l') + "\n", m.size);
  int64_t bytes = 0;
  m.start();
  for (int64_t i = 0; i < m.count / m.size; ++i) {
    send_all(pair.theirs, lines);
    for (int64_t k = 0; k < m.size; ++k) {
      const std::string line = co_await c.reader.readline();
      bytes += static_cast<int64_t>(line.size());
    }
  }
  m.stop();
  use(bytes);
  close(pair.theirs);
}

Coroutine<> frames_path(Measurement& m) {
  const Pair pair = make_pair();
  Connection c = co_await open_unix_connection({.sock = pair.ours});
  const uint32_t size = kMessage - sizeof(size);
  std::string frame(kMessage, 'f');
  std::memcpy(frame.data(), &size, sizeof(size));
  const std::string frames = repeated(frame, m.size);
  int64_t bytes = 0;
  m.start();
  for (int64_t i = 0; i < m.count / m.size; ++i) {
    send_all(pair.theirs, frames);
    for (int64_t k = 0; k < m.size; ++k) {
      const std::string head = co_await c.reader.readexactly(sizeof(size));
      uint32_t length;
      std::memcpy(&length, head.data(), sizeof(length));
      const std::string body = co_await c.reader.readexactly(length);
      bytes += static_cast<int64_t>(body.size());
    }
  }
  m.stop();
  use(bytes);
  close(pair.theirs);
}

Coroutine<> parts_path(Measurement& m) {
  const Pair pair = make_pair();
  Connection c = co_await open_unix_connection({.sock = pair.ours});
  const std::string body(kMessage - 4, 'b');
  const std::array<std::string_view, 2> parts = {"head", body};
  std::string taken(kMessage * static_cast<size_t>(m.size), '\0');
  m.start();
  for (int64_t i = 0; i < m.count / m.size; ++i) {
    for (int64_t k = 0; k < m.size; ++k) {
      c.writer.writelines(parts);
      co_await c.writer.drain();
    }
    require(recv(pair.theirs, taken.data(), taken.size(), 0) ==
                static_cast<ssize_t>(taken.size()),
            "recv");
  }
  m.stop();
  close(pair.theirs);
}

}  // namespace asyncio
