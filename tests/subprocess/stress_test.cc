// Thousands of children, while streams and timers run on the same loop: each
// ends with its own code and its own output; no zombie and no descriptor is
// left.

#include <chrono>
#include <csignal>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/result.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/subprocess/process.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/tests/subprocess/subprocess_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// A sanitizer makes this process large and slow, and proves nothing more with
// more children.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kChildren = 300;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kChildren = 300;
#else
constexpr int kChildren = 2000;
#endif
#else
constexpr int kChildren = 2000;
#endif
constexpr int kAtOnce = 64;

// One of four kinds, by its number. Whether it did what it should.
Coroutine<bool> run_child(int number) {
  const std::string text = std::to_string(number);
  switch (number % 4) {
    case 0: {
      Process process = co_await create_subprocess_exec("true");
      const int code = co_await process.wait();
      co_return code == 0;
    }
    case 1: {
      Process process = co_await create_subprocess_exec(
          "cat", {.std_in = PIPE, .std_out = PIPE});
      const Output output = co_await process.communicate(text);
      co_return output.std_out == text&& process.returncode() == 0;
    }
    case 2: {
      Process process = co_await create_subprocess_shell(
          "echo " + text + " >&2; exit " + std::to_string(number % 200),
          {.std_err = PIPE});
      const std::string line = co_await process.std_err().readline();
      const int code = co_await process.wait();
      co_return line == text + "\n" && code == number % 200;
    }
    default: {
      Process process = co_await create_subprocess_exec({"sleep", "100"});
      if (number % 8 == 3) co_return true;  // dropped while it runs
      process.kill();
      const int code = co_await process.wait();
      co_return code == -SIGKILL;
    }
  }
}

Coroutine<> tick(Duration period, int& ticks) {
  while (true) {
    co_await sleep(period);
    ++ticks;
  }
}

Coroutine<> send_and_check(Connection connection, int& echoes) {
  while (true) {
    const std::string line = std::to_string(echoes) + "\n";
    connection.writer.write(line);
    co_await connection.writer.drain();
    EXPECT_EQ(co_await connection.reader.readline(), line);
    ++echoes;
    co_await sleep(1ms);
  }
}

Coroutine<> echo(Connection connection) {
  while (true) {
    const std::string line = co_await connection.reader.readline();
    connection.writer.write(line);
    co_await connection.writer.drain();
  }
}

Coroutine<> run_all(int& good, int& ticks, int& echoes) {
  int sockets[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  std::vector<Task<>> others;
  Connection here = co_await open_connection({.sock = sockets[0]});
  Connection there = co_await open_connection({.sock = sockets[1]});
  others.push_back(create_task(send_and_check(std::move(here), echoes)));
  others.push_back(create_task(echo(std::move(there))));
  for (int i = 1; i <= 20; ++i) {
    others.push_back(create_task(tick(std::chrono::milliseconds(i), ticks)));
  }

  Semaphore slots(kAtOnce);
  auto run_one = [&](int number) -> Coroutine<> {
    auto slot = co_await slots.scoped_acquire();
    const bool did = co_await run_child(number);
    EXPECT_TRUE(did) << "child " << number;
    good += did;
  };
  std::vector<Coroutine<>> children;
  for (int i = 0; i < kChildren; ++i) children.push_back(run_one(i));
  co_await gather(std::move(children));

  // Those that were dropped are the loop's to reap.
  while (has_children()) co_await sleep(1ms);
  for (Task<>& task : others) task.cancel();
  for (Task<>& task : others) {
    const Result<> end = co_await as_result(task);
    EXPECT_TRUE(end.cancelled());
  }
}

TEST(ProcessStressTest, ThousandsOfChildrenBesideStreamsAndTimers) {
  const int descriptors = descriptors_between_loops();
  int good = 0, ticks = 0, echoes = 0;
  run([&] { return run_all(good, ticks, echoes); });
  EXPECT_EQ(good, kChildren);
  EXPECT_GT(ticks, 0);
  EXPECT_GT(echoes, 0);
  EXPECT_FALSE(has_children());
  EXPECT_EQ(open_descriptors(), descriptors);
}

}  // namespace
}  // namespace asyncio
