// Many connections, peers that vanish, machines that run out of descriptors.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/faults.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASYNCIO_TEST_HAS_OTHER_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ASYNCIO_TEST_HAS_OTHER_MALLOC 1
#endif
#endif

// Bytes that malloc() has given out; zero where it is not the C library's.
size_t bytes_in_use() {
#ifdef ASYNCIO_TEST_HAS_OTHER_MALLOC
  return 0;
#else
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

// A process of its own, so that both ends of 10,000 connections need not share
// one table of descriptors. It connects `count` times, then asks on each and
// checks the answer, and closes all; it says how it went by its exit status.
class Crowd {
 public:
  Crowd(const std::string& path, int count) {
    if (pipe(go_) != 0) throw_os_error(errno, "pipe");
    pid_ = fork();
    if (pid_ != 0) {
      close(go_[0]);
      return;
    }
    close(go_[1]);
    _exit(run(path, count, go_[0]));
  }
  ~Crowd() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(go_[1]);
  }

  // Lets it ask.
  void go() const { EXPECT_EQ(write(go_[1], "g", 1), 1); }
  int exit_status() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static int run(const std::string& path, int count, int go) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    std::vector<int> sockets;
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      if (fd < 0) return 2;
      int tries = 0;
      // The server starts in a while.
      while (connect(fd, reinterpret_cast<sockaddr*>(&address),
                     sizeof address) != 0) {
        if (++tries > 10'000) return 3;
        usleep(1000);
      }
      sockets.push_back(fd);
    }
    char byte = 0;
    if (read(go, &byte, 1) != 1) return 4;
    for (int i = 0; i < count; ++i) {
      const std::string line = std::to_string(i) + "\n";
      if (write(sockets[i], line.data(), line.size()) !=
          static_cast<ssize_t>(line.size())) {
        return 5;
      }
    }
    for (int i = 0; i < count; ++i) {
      const std::string line = std::to_string(i) + "\n";
      char answer[16];
      size_t got = 0;
      while (got < line.size()) {
        const ssize_t n = read(sockets[i], answer + got, sizeof answer - got);
        if (n <= 0) return 6;
        got += static_cast<size_t>(n);
      }
      if (std::string_view(answer, got) != line) return 7;
      close(sockets[i]);
    }
    return 0;
  }

  int go_[2];
  pid_t pid_;
};

std::string fresh_folder() {
  char name[] = "/tmp/reliability.XXXXXX";
  if (mkdtemp(name) == nullptr) throw_os_error(errno, "mkdtemp");
  return name;
}

TEST(ReliabilityTest, TenThousandConnections) {
  constexpr int kConnections = 10'000;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < kConnections + 100) {
    GTEST_SKIP() << "only " << files.rlim_cur << " descriptors are allowed";
  }
  const std::string folder = fresh_folder();
  const std::string path = folder + "/socket";
  Crowd crowd(path, kConnections);

  int connected = 0;
  int served = 0;
  auto serve = [&](StreamReader reader, StreamWriter writer) -> Coroutine<> {
    ++connected;
    while (auto line = co_await reader.next()) {
      writer.write(*line);
      co_await writer.drain();
      ++served;
    }
  };
  auto body = [&]() -> Coroutine<> {
    const size_t before = bytes_in_use();
    Server server = co_await start_unix_server(serve, path, {.backlog = 4096});
    while (connected < kConnections) co_await sleep(1ms);
    co_await sleep(10ms);  // all of them wait for a line by now
    // What an idle connection takes, its handler's task and frame included: the
    // documented 2 KiB.
    const size_t each = (bytes_in_use() - before) / kConnections;
    EXPECT_LE(each, 2048u);
    std::printf("an idle connection takes %zu bytes\n", each);
    crowd.go();
    while (served < kConnections) co_await sleep(1ms);
    server.close();
    co_await server.wait_closed();
  };
  run(body());
  EXPECT_EQ(crowd.exit_status(), 0);
  rmdir(folder.c_str());
}

ASYNCIO_TEST(HalfOpenTest, APeerThatHasEndedIsStillAnswered) {
  auto [a, b] = co_await connected_pair();
  a.writer.write("question");
  a.writer.write_eof();
  EXPECT_EQ(co_await b.reader.read(), "question");
  co_await sleep(1h);
  b.writer.write("answer");
  b.writer.close();
  EXPECT_EQ(co_await a.reader.read(), "answer");
}

// Sends the peer a reset in the place of an orderly end.
void reset(const StreamWriter& writer) {
  const linger at_once{1, 0};
  setsockopt(writer.transport().fd(), SOL_SOCKET, SO_LINGER, &at_once,
             sizeof at_once);
  writer.transport().abort();
}

ASYNCIO_TEST(ResetTest, EndsOneConnectionAndNoOther) {
  int ended = 0;
  std::vector<std::string> ends;
  auto serve = [&](StreamReader reader, StreamWriter writer) -> Coroutine<> {
    auto serving = [&]() -> Coroutine<> {
      for (;;) {
        const std::string line = co_await reader.readline();
        if (line.empty()) break;
        writer.write(line);
        co_await writer.drain();
      }
    };
    const std::string end = co_await ending(serving());
    ends.push_back(end.substr(0, end.find(':')));
    ++ended;
    writer.close();
  };
  Server server = co_await start_server(serve, "127.0.0.1", 0);
  std::vector<Connection> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(co_await open_connection("127.0.0.1", server.port()));
    clients.back().writer.write("hello\n");
    EXPECT_EQ(co_await clients.back().reader.readline(), "hello\n");
  }
  for (int i = 0; i < 10; i += 2) {
    clients[i].writer.write("half a li");
    reset(clients[i].writer);
  }
  while (ended < 5) co_await sleep(1ms);
  EXPECT_EQ(ends, std::vector<std::string>(5, "ConnectionResetError"));
  for (int i = 1; i < 10; i += 2) {
    clients[i].writer.write("still here\n");
    EXPECT_EQ(co_await clients[i].reader.readline(), "still here\n");
    clients[i].writer.close();
  }
  server.close();
  co_await server.wait_closed();
  EXPECT_EQ(ended, 10);
}

ASYNCIO_TEST(SlowReaderTest, MemoryOfBothEndsIsBounded) {
  constexpr size_t kLimit = 16 * 1024;
  auto [a, b] = co_await connected_pair({.limit = kLimit});
  size_t written = 0;
  size_t most = 0;
  auto flood = [&]() -> Coroutine<> {
    const std::string chunk(10'000, 'x');
    for (;;) {
      a.writer.write(chunk);
      written += chunk.size();
      most = std::max(most, a.writer.transport().get_write_buffer_size());
      co_await a.writer.drain();
    }
  };
  Task<> flooding = create_task(flood());
  size_t read = 0;
  for (int i = 0; i < 1000; ++i) {
    co_await turns(3);
    read += (co_await b.reader.readexactly(1000)).size();
    // What is nowhere else is in the reader's buffer or in the kernel's, which
    // has a fixed size.
    EXPECT_LE(most, 64u * 1024 + 10'000);
  }
  flooding.cancel();
  EXPECT_TRUE((co_await as_result(flooding)).cancelled());
  EXPECT_FALSE(b.writer.transport().is_reading());
  a.writer.transport().abort();
  b.writer.transport().abort();
  EXPECT_LT(read, written);
}

ASYNCIO_TEST(EndlessLineTest, IsRefusedAndTheConnectionGoesOn) {
  auto [a, b] = co_await connected_pair({.limit = 1024});
  auto flood = [&]() -> Coroutine<> {
    for (int i = 0; i < 1000; ++i) {
      a.writer.write(std::string(997, 'x'));
      co_await a.writer.drain();
    }
    a.writer.write("\nnext\n");
    co_await a.writer.drain();
  };
  Task<> flooding = create_task(flood());
  int refused = 0;
  std::string line;
  for (;;) {
    auto result = co_await as_result(b.reader.readline());
    if (!result) {
      EXPECT_NE(result.get_if<ValueError>(), nullptr);
      ++refused;
      continue;
    }
    line = *result;
    if (line == "next\n") break;
  }
  EXPECT_GT(refused, 10);
  co_await flooding;
}

TEST(AcceptTest, WithoutDescriptorsItTriesAgainAfterASecond) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    FaultySystem system;
    system.plan = [error](std::string_view call, uint64_t number) -> Fault {
      if (call == "accept" && number < 3) return {.error = error};
      return {};
    };
    const auto reports =
        run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
          auto serve = [](StreamReader reader,
                          StreamWriter writer) -> Coroutine<> {
            writer.write(co_await reader.readline());
          };
          Server server = co_await start_server(serve, "127.0.0.1", 0);
          const TimePoint start = get_running_loop().time();
          auto client = co_await open_connection("127.0.0.1", server.port());
          client.writer.write("patience\n");
          EXPECT_EQ(co_await client.reader.readline(), "patience\n");
          EXPECT_EQ(get_running_loop().time() - start, 3s);
          server.close();
          client.writer.close();
          co_await server.wait_closed();
        });
    ASSERT_EQ(reports.size(), 3u);
    for (const ExceptionContext& report : reports) {
      EXPECT_EQ(report.message, "socket.accept() out of system resource");
    }
  }
}

TEST(AcceptTest, AConnectionThatIsGoneAlreadyIsPassedOver) {
  FaultySystem system;
  system.plan = [](std::string_view call, uint64_t number) -> Fault {
    if (call == "accept" && number % 2 == 0) return {.error = ECONNABORTED};
    return {};
  };
  const auto reports =
      run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
        auto serve = [](StreamReader reader,
                        StreamWriter writer) -> Coroutine<> {
          writer.write(co_await reader.readline());
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        for (int i = 0; i < 5; ++i) {
          auto client = co_await open_connection("127.0.0.1", server.port());
          client.writer.write("hello\n");
          EXPECT_EQ(co_await client.reader.readline(), "hello\n");
        }
      });
  EXPECT_TRUE(reports.empty());
}

}  // namespace
}  // namespace asyncio
