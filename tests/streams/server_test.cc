#include "asyncio/streams/server.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) {
    writer.write(*line);
    co_await writer.drain();
  }
}

// What one line comes back as.
Coroutine<std::string> ask(uint16_t port, std::string line) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  writer.write(line);
  std::string answer = co_await reader.readline();
  writer.close();
  co_await writer.wait_closed();
  co_return answer;
}

std::string temporary_directory() {
  char name[] = "/tmp/asyncio_server_test_XXXXXX";
  return mkdtemp(name);
}

bool exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

ASYNCIO_TEST(ServerTest, HandsConnectionsToTheCallback) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  EXPECT_TRUE(server.is_serving());
  EXPECT_NE(server.port(), 0);
  CO_ASSERT_EQ(server.sockets().size(), 1u);
  EXPECT_EQ(server.sockets()[0].sockname().port(), server.port());
  EXPECT_EQ(co_await ask(server.port(), "one\n"), "one\n");
  EXPECT_EQ(co_await ask(server.port(), "two\n"), "two\n");
  server.close();
  EXPECT_FALSE(server.is_serving());
  EXPECT_TRUE(server.sockets().empty());
  co_await server.wait_closed();
}

ASYNCIO_TEST(ServerTest, TakesAPlainFunctionThatKeepsWhatItIsGiven) {
  std::vector<Connection> kept;
  auto keep = [&kept](StreamReader reader, StreamWriter writer) {
    kept.emplace_back(std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(keep, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("x");
  while (kept.empty()) co_await turns();
  EXPECT_EQ(co_await kept[0].reader.readexactly(1), "x");
  EXPECT_EQ(kept[0].writer.sockname().port(), server.port());
  EXPECT_EQ(kept[0].writer.peername(), writer.sockname());
  EXPECT_EQ(writer.peername(), kept[0].writer.sockname());
}

ASYNCIO_TEST(ServerTest, ClosedWhileAConnectionIsOpen) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("a\n");
  EXPECT_EQ(co_await reader.readline(), "a\n");
  server.close();
  auto closed = create_task(server.wait_closed());
  writer.write("b\n");
  EXPECT_EQ(co_await reader.readline(), "b\n");
  EXPECT_FALSE(closed.done());
  writer.close();
  co_await closed;
}

// Three that connect in one turn: all are told "hi".
Coroutine<> greet_three(const Server& server) {
  std::vector<Task<std::string>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(create_task(ask(server.port(), "x\n")));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await clients[i], "hi\n");
}

ASYNCIO_TEST(ServerTest, ACallbackThatClosesItLeavesNobodyWhoWaited) {
  Server server;
  auto greet_once = [&server](StreamReader, StreamWriter writer) {
    writer.write("hi\n");
    server.close();
  };
  server = co_await start_server(greet_once, "127.0.0.1", 0);
  co_await greet_three(server);
  co_await server.wait_closed();
}

ASYNCIO_TEST(ServerTest, AnEagerHandlerThatClosesItLeavesNobodyWhoWaited) {
  Server server;
  auto greet_once = [&server](StreamReader, StreamWriter writer)
      -> Coroutine<> {
    writer.write("hi\n");
    server.close();
    co_return;
  };
  server = co_await start_server(greet_once, "127.0.0.1", 0);
  set_task_factory(get_running_loop(), eager_task_factory);
  co_await greet_three(server);
  co_await server.wait_closed();
}

ASYNCIO_TEST(ServerTest, CloseClientsSendsWhatWasWritten) {
  StreamWriter kept;
  auto keep = [&kept](StreamReader, StreamWriter writer) {
    writer.write("bye");
    kept = std::move(writer);
  };
  Server server = co_await start_server(keep, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  while (!kept) co_await turns();
  server.close();
  server.close_clients();
  EXPECT_EQ(co_await reader.read(), "bye");
  co_await server.wait_closed();
}

ASYNCIO_TEST(ServerTest, ShutdownWaitsAndThenAborts) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("a\n");
  EXPECT_EQ(co_await reader.readline(), "a\n");
  co_await server.shutdown(5s);
  EXPECT_EQ(elapsed(), 5s);
  const Result<std::string> end = co_await as_result(reader.read());
  EXPECT_TRUE(!end || end.value().empty());
}

ASYNCIO_TEST(ServerTest, ServeForeverEndsWithTheServer) {
  Server server =
      co_await start_server(echo, "127.0.0.1", 0, {.start_serving = false});
  EXPECT_FALSE(server.is_serving());
  auto forever = create_task(server.serve_forever());
  co_await turns();
  EXPECT_TRUE(server.is_serving());
  const std::string twice = co_await ending(server.serve_forever());
  EXPECT_TRUE(twice.starts_with("RuntimeError: server <Server sockets=("));
  EXPECT_TRUE(twice.ends_with("is already being awaited on serve_forever()"));
  server.close();
  EXPECT_EQ(co_await ending(std::move(forever)), "CancelledError: ");
  EXPECT_EQ(co_await ending(server.serve_forever()),
            "RuntimeError: server <Server sockets=()> is closed");
}

ASYNCIO_TEST(ServerTest, CancelledServeForeverClosesAndWaits) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("a\n");
  EXPECT_EQ(co_await reader.readline(), "a\n");
  auto forever = create_task(server.serve_forever());
  co_await turns();
  forever.cancel();
  co_await turns(3);
  EXPECT_FALSE(server.is_serving());
  EXPECT_FALSE(forever.done());
  writer.close();
  EXPECT_EQ(co_await ending(std::move(forever)), "CancelledError: ");
}

ASYNCIO_TEST(ServerTest, CancelledServeForeverCanBeCancelledWhileItWaits) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  writer.write("a\n");
  EXPECT_EQ(co_await reader.readline(), "a\n");
  auto forever = create_task(server.serve_forever());
  co_await turns();
  forever.cancel("one");
  co_await turns(3);
  const std::string twice = co_await ending(server.serve_forever());
  EXPECT_TRUE(twice.ends_with("is already being awaited on serve_forever()"));
  forever.cancel("two");
  EXPECT_EQ(co_await ending(std::move(forever)), "CancelledError: two");
  EXPECT_EQ(co_await ending(server.serve_forever()),
            "RuntimeError: server <Server sockets=()> is closed");
}

ASYNCIO_TEST(ServerTest, ServeForeverOutlivesTheHandle) {
  uint16_t port = 0;
  Task<> forever;
  {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    port = server.port();
    forever = create_task(server.serve_forever());
    co_await turns();
  }
  EXPECT_EQ(co_await ask(port, "a\n"), "a\n");
  forever.cancel();
  EXPECT_EQ(co_await ending(std::move(forever)), "CancelledError: ");
  EXPECT_TRUE((co_await ending(ask(port, "a\n")))
                  .starts_with("ConnectionRefusedError: [Errno 111] connect to "
                               "127.0.0.1:"));
}

ASYNCIO_TEST(ServerTest, DestroyedItStopsListening) {
  uint16_t port = 0;
  {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    port = server.port();
  }
  EXPECT_TRUE((co_await ending(ask(port, "a\n")))
                  .starts_with("ConnectionRefusedError"));
}

ASYNCIO_TEST(ServerTest, IsAManager) {
  uint16_t port = 0;
  auto body = [&](Server& server) -> Coroutine<> {
    port = server.port();
    EXPECT_EQ(co_await ask(port, "x\n"), "x\n");
  };
  co_await with(co_await start_server(echo, "127.0.0.1", 0), body);
  EXPECT_TRUE((co_await ending(ask(port, "a\n")))
                  .starts_with("ConnectionRefusedError"));
}

ASYNCIO_TEST(ServerTest, FailureOfACallbackIsReportedAndClosesTheConnection) {
  auto fail = [](StreamReader, StreamWriter) -> Coroutine<> {
    co_await sleep(0s);
    throw ValueError("boom");
  };
  auto fail_plainly = [](StreamReader, StreamWriter) {
    throw ValueError("boom");
  };
  Server one = co_await start_server(fail, "127.0.0.1", 0);
  Server two = co_await start_server(fail_plainly, "127.0.0.1", 0);
  const uint16_t ports[] = {one.port(), two.port()};
  for (const uint16_t port : ports) {
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    EXPECT_EQ(co_await reader.read(), "");
    const std::vector<ExceptionContext> reports = take_reports();
    CO_ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].message, "Unhandled exception in client_connected_cb");
    EXPECT_EQ(exception_name(reports[0].exception), "ValueError");
  }
}

// The report is the done callback's, not the handler's task's.
ASYNCIO_TEST(ServerTest, AFailedHandlerIsReportedOutsideItsContext) {
  const ContextVar<std::string> var("var", "default");
  std::string log;
  get_running_loop().set_exception_handler(
      [&](EventLoop&, const ExceptionContext& report) {
        log += report.message + ": " + var.get();
      });
  auto fail = [&](StreamReader, StreamWriter) -> Coroutine<> {
    var.set("the handler's");
    throw ValueError("boom");
    co_return;
  };
  Server server = co_await start_server(fail, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  EXPECT_EQ(co_await reader.read(), "");
  EXPECT_EQ(log, "Unhandled exception in client_connected_cb: default");
}

ASYNCIO_TEST(ServerTest, ACancelledHandlerClosesInSilence) {
  AnyTask handler;
  auto wait = [&](StreamReader, StreamWriter) -> Coroutine<> {
    handler = current_task();
    co_await create_future<>();
  };
  Server server = co_await start_server(wait, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  while (!handler) co_await turns();
  handler.cancel();
  EXPECT_EQ(co_await reader.read(), "");
}

ASYNCIO_TEST(ServerTest, KeepsTheCallbackWhileAHandlerRuns) {
  auto big = std::make_shared<std::string>("alive\n");
  std::weak_ptr<std::string> watch = big;
  Connection client;
  {
    auto handler = [big](StreamReader reader,
                         StreamWriter writer) -> Coroutine<> {
      co_await reader.readline();
      writer.write(*big);
    };
    big = nullptr;
    Server server = co_await start_server(std::move(handler), "127.0.0.1", 0);
    client = co_await open_connection("127.0.0.1", server.port());
    co_await turns(3);
  }
  EXPECT_FALSE(watch.expired());
  client.writer.write("\n");
  EXPECT_EQ(co_await client.reader.readline(), "alive\n");
  client.writer.close();
  co_await client.writer.wait_closed();
  co_await turns(3);
  EXPECT_TRUE(watch.expired());
}

ASYNCIO_TEST(ServerTest, HandlersBeginWithTheContextOfWhoStartedTheServer) {
  static const ContextVar<int> number("number", 0);
  number.set(7);
  auto tell = [](StreamReader, StreamWriter writer) -> Coroutine<> {
    writer.write(std::to_string(number.get()));
    co_return;
  };
  Server server = co_await start_server(tell, "127.0.0.1", 0);
  number.set(8);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  EXPECT_EQ(co_await reader.read(), "7");
}

ASYNCIO_TEST(ServerTest, WhatAPlainCallbackSetsNoOtherConnectionSees) {
  const ContextVar<std::string> var("var");
  std::string log;
  auto note = [&](StreamReader, StreamWriter) {
    log += var.get() + ";";
    var.set("a connection's");
  };
  var.set("the server's");
  Server server = co_await start_server(note, "127.0.0.1", 0);
  for (int i = 0; i < 2; ++i) {
    auto [reader, writer] =
        co_await open_connection("127.0.0.1", server.port());
    EXPECT_EQ(co_await reader.read(), "");
  }
  EXPECT_EQ(log, "the server's;the server's;");
  EXPECT_EQ(var.get(), "the server's");
}

ASYNCIO_TEST(ServerTest, CallbacksBeginWithTheContextInWhichItBeganToServe) {
  const ContextVar<std::string> var("var");
  std::string log;
  auto note = [&](StreamReader, StreamWriter) { log += var.get() + ";"; };
  for (const bool forever : {false, true}) {
    var.set("made");
    Server server =
        co_await start_server(note, "127.0.0.1", 0, {.start_serving = false});
    var.set(forever ? "serve_forever" : "start_serving");
    auto serving = create_task(forever ? server.serve_forever()
                                       : server.start_serving());
    co_await turns();
    var.set("later");
    co_await server.start_serving();  // has nothing to do
    auto [reader, writer] =
        co_await open_connection("127.0.0.1", server.port());
    EXPECT_EQ(co_await reader.read(), "");
    serving.cancel();
    EXPECT_EQ((co_await as_result(serving)).cancelled(), forever);
  }
  EXPECT_EQ(log, "start_serving;serve_forever;");
}

ASYNCIO_TEST(ServerTest, ListensOnSeveralAddresses) {
  Server server = co_await start_server(echo, {"127.0.0.1", "127.0.0.2"}, 0);
  const std::vector<ServerSocket> sockets = server.sockets();
  CO_ASSERT_EQ(sockets.size(), 2u);
  for (const ServerSocket& socket : sockets) {
    auto [reader, writer] = co_await open_connection(socket.sockname().host(),
                                                     socket.sockname().port());
    writer.write("x\n");
    EXPECT_EQ(co_await reader.readline(), "x\n");
  }
}

ASYNCIO_TEST(ServerTest, HostsAreStringsOrARangeOfThem) {
  const std::string host = "127.0.0.1";
  const char* const other = "127.0.0.2";
  const std::vector<std::string> hosts = {host, other};
  Server server = co_await start_server(echo, hosts, 0);
  EXPECT_EQ(server.sockets().size(), 2u);
  server = co_await start_server(echo, {hosts}, 0);
  EXPECT_EQ(server.sockets().size(), 2u);
  server = co_await start_server(echo, {host, other}, 0, {.backlog = 1});
  EXPECT_EQ(server.sockets().size(), 2u);
  server = co_await start_server(echo, host, 0);
  EXPECT_EQ(server.sockets().size(), 1u);
  server = co_await start_server(echo, other, 0);
  EXPECT_EQ(server.sockets().size(), 1u);
}

ASYNCIO_TEST(ServerTest, AnAddressInUseIsNamed) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  EXPECT_EQ(co_await ending(start_server(echo, "127.0.0.1", server.port())),
            "OSError: [Errno 98] bind to 127.0.0.1:" +
                std::to_string(server.port()) + ": Address already in use");
}

ASYNCIO_TEST(ServerTest, SharesAPortWhereBothAgree) {
  Server one =
      co_await start_server(echo, "127.0.0.1", 0, {.reuse_port = true});
  Server two = co_await start_server(echo, "127.0.0.1", one.port(),
                                     {.reuse_port = true});
  EXPECT_EQ(one.port(), two.port());
}

ASYNCIO_TEST(ServerTest, TakesASocket) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const SocketAddress any("127.0.0.1", 0);
  CO_ASSERT_EQ(bind(fd, any.data(), any.size()), 0);
  Server server = co_await start_server(echo, {.sock = fd});
  EXPECT_EQ(server.sockets()[0].fd(), fd);
  EXPECT_EQ(co_await ask(server.port(), "x\n"), "x\n");
}

ASYNCIO_TEST(ServerTest, UnixSocket) {
  const std::string directory = temporary_directory();
  const std::string path = directory + "/s";
  {
    Server server = co_await start_unix_server(echo, path);
    EXPECT_TRUE(exists(path));
    EXPECT_EQ(server.sockets()[0].sockname().path(), path);
    auto [reader, writer] = co_await open_unix_connection(path);
    writer.write("x\n");
    EXPECT_EQ(co_await reader.readline(), "x\n");
    EXPECT_EQ(writer.peername().path(), path);
    // The kernel connects at once, and yet there is a turn to be cancelled in.
    auto second = create_task(open_unix_connection(path));
    co_await turns();
    EXPECT_FALSE(second.done());
    second.cancel();
    EXPECT_EQ(co_await ending(std::move(second)), "CancelledError: ");
  }
  EXPECT_FALSE(exists(path));
  EXPECT_EQ(co_await ending(open_unix_connection(path)),
            "FileNotFoundError: [Errno 2] connect to " + path +
                ": No such file or directory");
  rmdir(directory.c_str());
}

ASYNCIO_TEST(ServerTest, LeavesTheFileOfAnotherServer) {
  const std::string directory = temporary_directory();
  const std::string path = directory + "/s";
  Server one = co_await start_unix_server(echo, path);
  Server two = co_await start_unix_server(echo, path);  // takes the name over
  one.close();
  EXPECT_TRUE(exists(path));
  two.close();
  EXPECT_FALSE(exists(path));
  Server three =
      co_await start_unix_server(echo, path, {.cleanup_socket = false});
  three.close();
  EXPECT_TRUE(exists(path));
  unlink(path.c_str());
  rmdir(directory.c_str());
}

ASYNCIO_TEST(ServerTest, ManyConnectionsAtOnce) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  std::vector<Task<std::string>> clients;
  for (int i = 0; i < 90; ++i) {
    clients.push_back(
        create_task(ask(server.port(), std::to_string(i) + "\n")));
  }
  for (int i = 0; i < 90; ++i) {
    EXPECT_EQ(co_await clients[i], std::to_string(i) + "\n");
  }
  server.close();
  co_await server.wait_closed();
}

ASYNCIO_TEST(ServerTest, AWrongThreadIsRefusedAndChangesNothing) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto forever = create_task(server.serve_forever());
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
  std::vector<std::string> texts;
  std::thread thread([&] {
    texts.push_back(error_of([&] { server.close(); }));
    texts.push_back(error_of([&] { server.close_clients(); }));
    texts.push_back(error_of([&] { server.abort_clients(); }));
  });
  thread.join();
  EXPECT_EQ(texts.size(), 3u);
  for (const std::string& text : texts) {
    EXPECT_THAT(text, StartsWith("RuntimeError: Non-thread-safe operation"));
  }
  EXPECT_TRUE(server.is_serving());
  EXPECT_EQ(co_await ask(server.port(), "x\n"), "x\n");
  writer.write("y\n");
  EXPECT_EQ(co_await reader.readline(), "y\n");
  server.close();
  server.close_clients();
  EXPECT_EQ(co_await ending(std::move(forever)), "CancelledError: ");
}

TEST(ServerLoopTest, AWaitInATaskOfAnotherLoopIsRefused) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Server server =
      run_until_complete(*loop, start_server(echo, "127.0.0.1", 0));
  const std::string refusal = "RuntimeError: server <Server sockets=(127.0.0.1:" +
                              std::to_string(server.port()) +
                              ")> is bound to a different event loop";
  const auto wait = [&]() -> Coroutine<> {
    EXPECT_EQ(co_await ending(wait_for(server.wait_closed(), 1s)), refusal);
    EXPECT_EQ(co_await ending(wait_for(server.serve_forever(), 1s)), refusal);
  };
  run(wait);
  EXPECT_TRUE(server.is_serving());
  // Also where its own is gone, and another one may lie in its place.
  loop = nullptr;
  run(wait);
}

TEST(ServerLoopTest, AnInterruptLeavesTheOtherCallbacksToTheNextRun) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  int called = 0;
  auto interrupt = [&called](StreamReader, StreamWriter) {
    if (++called < 3) throw SystemExit(called);
  };
  const Server server =
      run_until_complete(*loop, start_server(interrupt, "127.0.0.1", 0));
  std::vector<Task<Connection>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(
        create_task(*loop, open_connection("127.0.0.1", server.port())));
  }
  EXPECT_THROW(loop->run_forever(), SystemExit);
  EXPECT_EQ(called, 1);
  EXPECT_THROW(loop->run_forever(), SystemExit);
  EXPECT_EQ(called, 2);
  run_until_complete(*loop, turns());
  EXPECT_EQ(called, 3);
}

}  // namespace
}  // namespace asyncio
