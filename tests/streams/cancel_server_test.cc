// Servers cancelled everywhere: see testing/cancel_everywhere.h. On Unix
// sockets, where what one end does the other sees at once, in the same order
// each time.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <unistd.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// An abstract socket's, new in each round.
std::string fresh_path() {
  static int number = 0;
  return std::string(1, '\0') + "asyncio_cancel_server_test_" +
         std::to_string(getpid()) + "_" + std::to_string(number++);
}

// Of a handler: that it runs.
class Running {
 public:
  explicit Running(int& count) : count_(count) { ++count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { --count_; }

 private:
  int& count_;
};

// Answers each line with itself; "work" takes three seconds, and ends the
// connection.
class Worker {
 public:
  explicit Worker(int& running) : running_(&running) {}
  Coroutine<> operator()(StreamReader reader, StreamWriter writer) {
    return serve(std::move(reader), std::move(writer), running_);
  }

 private:
  static Coroutine<> serve(StreamReader reader, StreamWriter writer,
                           int* count) {
    const Running running(*count);
    // A client that is cancelled does not wait for its answer.
    static_cast<void>(co_await as_result(talk(reader, writer)));
    writer.close();
    static_cast<void>(co_await as_result(writer.wait_closed()));
  }
  static Coroutine<> talk(const StreamReader& reader,
                          const StreamWriter& writer) {
    while (auto line = co_await reader.next()) {
      const bool works = *line == "work\n";
      if (works) co_await sleep(3s);
      writer.write(*line);
      co_await writer.drain();
      if (works) break;
    }
  }

  int* running_;
};

// What each scene begins and ends with: a path, the handlers that run, and that no
// descriptor is left in the end.
class ServerScene {
 public:
  Coroutine<Server> start() {
    co_return co_await start_unix_server(Worker(running_), path_);
  }
  const std::string& path() const { return path_; }

  // Last, when whatever it opened is gone.
  Coroutine<> expect_nothing_left() const {
    while (running_ > 0) co_await turns();
    co_await turns(2);
    EXPECT_EQ(open_descriptors(), before_);
  }

 private:
  const size_t before_ = open_descriptors();
  const std::string path_ = fresh_path();
  int running_ = 0;
};

// A client's connection that is up: one line has gone there and back.
Coroutine<Connection> greeted(std::string path) {
  Connection client = co_await open_unix_connection(path);
  client.writer.write("hello\n");
  const std::string answer = co_await client.reader.readline();
  EXPECT_EQ(answer, "hello\n");
  co_return std::move(client);
}

Coroutine<> expect_echo(const Connection& client) {
  client.writer.write("there?\n");
  const std::string answer = co_await client.reader.readline();
  EXPECT_EQ(answer, "there?\n");
}

Coroutine<> expect_end(const Connection& client) {
  const Result<std::string> end = co_await as_result(client.reader.read());
  EXPECT_TRUE(end.has_value()) << exception_message(end.exception());
  if (end.has_value()) {
    EXPECT_EQ(*end, "");
  }
}

Coroutine<> expect_refused(std::string path) {
  const std::string end = co_await ending(open_unix_connection(path));
  EXPECT_TRUE(end.starts_with("ConnectionRefusedError")) << end;
}

TEST(CancelServerTest, Starting) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    auto start = [&]() -> Coroutine<> {
      Server server = co_await s.start();
      Connection client = co_await greeted(s.path());
      co_await expect_echo(client);
    };
    scene.start(start);
    static_cast<void>(co_await scene.ended());
    co_await expect_refused(s.path());
    co_await s.expect_nothing_left();
  });
}

TEST(CancelServerTest, ServeForever) {
  int rounds_that_waited = 0;
  const int rounds = cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    {
      Server server = co_await s.start();
      const Connection idle = co_await greeted(s.path());
      const Connection busy = co_await greeted(s.path());
      scene.start(server.serve_forever());
      // Whatever becomes of it, connections are left alone.
      co_await expect_echo(busy);
      server.close();
      EXPECT_FALSE(server.is_serving());
      EXPECT_TRUE(server.sockets().empty());
      co_await expect_refused(s.path());
      co_await expect_echo(busy);
      co_await expect_echo(idle);
      auto waiting = create_task(server.wait_closed());
      co_await turns();
      EXPECT_FALSE(waiting.done());
      busy.writer.write_eof();
      co_await expect_end(busy);
      EXPECT_FALSE(waiting.done());
      idle.writer.write_eof();
      co_await expect_end(idle);
      co_await waiting;
      const Result<> end = co_await scene.ended();
      EXPECT_TRUE(end.cancelled());
      if (scene.cancels()) ++rounds_that_waited;
      const std::string again = co_await ending(server.serve_forever());
      EXPECT_EQ(again, "RuntimeError: server <Server sockets=()> is closed");
    }
    co_await s.expect_nothing_left();
  });
  EXPECT_EQ(rounds_that_waited, rounds - 1);
  EXPECT_GT(rounds, 30);
}

TEST(CancelServerTest, ServeForeverWhoseHandleIsGone) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    auto serve = [&]() -> Coroutine<> {
      Server server = co_await s.start();
      Coroutine<> forever = server.serve_forever();
      server = Server();
      co_await wait_for(std::move(forever), 1s);
    };
    scene.start(serve);
    // It may be gone at any moment.
    co_await turns(2);
    const Result<Connection> client = co_await as_result(greeted(s.path()));
    if (client.has_value()) {
      co_await expect_echo(*client);
      client->writer.write_eof();
      co_await expect_end(*client);
    }
    static_cast<void>(co_await scene.ended());
    co_await expect_refused(s.path());
    co_await s.expect_nothing_left();
  });
}

TEST(CancelServerTest, Shutdown) {
  int cut_short = 0;
  const int rounds = cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    {
      Server server = co_await s.start();
      const Connection leaving = co_await greeted(s.path());
      const Connection working = co_await greeted(s.path());
      const Connection staying = co_await greeted(s.path());
      working.writer.write("work\n");
      scene.start(server.shutdown(5s));
      co_await turns();
      co_await sleep(1s);
      leaving.writer.write_eof();
      co_await expect_end(leaving);
      // What is under way is done, also where nobody waits for it any more.
      const std::string answer = co_await working.reader.readline();
      EXPECT_EQ(answer, "work\n");
      co_await expect_end(working);
      const Result<> end = co_await scene.ended();
      if (end.cancelled()) {
        EXPECT_TRUE(scene.cancels());
        ++cut_short;
      } else {
        EXPECT_TRUE(end.has_value());
      }
      server.close();
      EXPECT_TRUE(server.sockets().empty());
      co_await expect_refused(s.path());
      // Another one ends it, however far the first has come.
      co_await server.shutdown(1s);
      co_await server.wait_closed();
      co_await expect_end(staying);
    }
    co_await s.expect_nothing_left();
  });
  EXPECT_GT(cut_short, rounds / 2);
  EXPECT_GT(rounds, 10);
}

TEST(CancelServerTest, ShutdownThatWasCancelledLeavesTheConnections) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    {
      Server server = co_await s.start();
      const Connection client = co_await greeted(s.path());
      const TimePoint until = get_running_loop().time() + 5s;
      scene.start(server.shutdown(5s));
      for (int i = 0; i < 4; ++i) co_await expect_echo(client);
      const Result<> end = co_await scene.ended();
      if (get_running_loop().time() < until) {
        EXPECT_TRUE(end.cancelled());
        co_await expect_echo(client);
      }
      if (end.cancelled()) co_await server.shutdown(0s);
      co_await expect_end(client);
    }
    co_await s.expect_nothing_left();
  });
}

TEST(CancelServerTest, AsAManager) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    ServerScene s;
    auto serve = [&]() -> Coroutine<> {
      auto body = [&](Server&) -> Coroutine<> {
        Connection client = co_await greeted(s.path());
        co_await expect_echo(client);
      };
      co_await with(co_await s.start(), body);
    };
    scene.start(serve);
    static_cast<void>(co_await scene.ended());
    co_await expect_refused(s.path());
    co_await s.expect_nothing_left();
  });
}

}  // namespace
}  // namespace asyncio
