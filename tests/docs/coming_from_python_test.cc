// The code in docs/coming_from_python.md, run.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/asyncio.h"
#include "asyncio/testing/testing.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

int clean_ups = 0;

Coroutine<std::string> fetch(int n) {
  co_await sleep(1s);
  if (n < 0) throw ValueError("no such page");
  std::string text = "page " + std::to_string(n);
  co_return text;
}

Coroutine<> clean_up() {
  co_await sleep(1s);
  ++clean_ups;
}

Coroutine<> transfer() {
  co_await sleep(1s);
  throw ValueError("no money");
}

Coroutine<> amain() { co_return; }

Coroutine<> greet(std::string name) {  // not const std::string&
  co_await sleep(1s);
  std::cout << "hello " << name << "\n";
}

class Manager {
 public:
  Coroutine<int> aenter() { co_return 42; }  // what the body is given
  Coroutine<bool> aexit(std::exception_ptr) {
    co_await clean_up();
    co_return false;  // true swallows the exception
  }
};

TEST(ComingFromPythonRunTest, Runs) {
  run(amain());
  run(amain(), {.debug = true});
}

ASYNCIO_TEST(ComingFromPythonTest, Coroutines) {
  std::string text = co_await fetch(1);
  EXPECT_EQ(text, "page 1");
  co_await sleep(1500ms);
  co_await sleep(1.5s);
  EXPECT_EQ(elapsed(), 4s);
  EXPECT_EQ(co_await sleep(1s, std::string("x")), "x");
}

ASYNCIO_TEST(ComingFromPythonTest, Tasks) {
  Task<std::string> task = create_task(fetch(1), {.name = "f"});
  EXPECT_EQ(all_tasks().size(), 2u);
  AnyTask self = current_task();
  EXPECT_FALSE(self.done());
  EXPECT_EQ(co_await task, "page 1");
  EXPECT_TRUE(task.done());
  EXPECT_EQ(task.result(), "page 1");
  EXPECT_EQ(task.exception(), nullptr);
  EXPECT_EQ(co_await create_task(fetch(1)), "page 1");
}

ASYNCIO_TEST(ComingFromPythonTest, Exceptions) {
  Task<std::string> task = create_task(fetch(1));
  task.cancel("enough");
  try {
    co_await task;
    ADD_FAILURE();
  } catch (const CancelledError&) {
  }
  std::exception_ptr e;
  try {
    try {
      co_await fetch(-1);
    } catch (const std::exception& e) {
      EXPECT_STREQ(e.what(), "no such page");
      throw;
    }
  } catch (...) {
    e = std::current_exception();
  }
  EXPECT_NE(exception_cast<ValueError>(e), nullptr);
  EXPECT_EQ(exception_message(e), "no such page");
  EXPECT_EQ(exception_repr(e), "ValueError('no such page')");
}

void use(const std::string& text) { EXPECT_EQ(text, "page 1"); }

ASYNCIO_TEST(ComingFromPythonTest, AwaitInExcept) {
  Result<std::string> text = co_await as_result(fetch(1));
  if (!text) co_await clean_up();
  use(text.value());  // throws what fetch() threw
}

ASYNCIO_TEST(ComingFromPythonTest, TryFinally) {
  clean_ups = 0;
  bool thrown = false;
  try {
    co_await try_finally([&] { return transfer(); },
                         [&] { return clean_up(); });
  } catch (const ValueError&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
  EXPECT_EQ(clean_ups, 1);
}

ASYNCIO_TEST(ComingFromPythonTest, With) {
  clean_ups = 0;
  int given = 0;
  auto body = [&](int x) -> Coroutine<> {
    given = x;
    co_await sleep(1s);
  };
  co_await with(Manager(), body);
  EXPECT_EQ(given, 42);
  EXPECT_EQ(clean_ups, 1);
}

ASYNCIO_TEST(ComingFromPythonTest, Lambdas) {
  std::string name = "Ada";
  auto say = [name]() -> Coroutine<> { co_await greet(name); };
  // Not create_task(say()), unless say outlives the task.
  Task<> good = create_task(say);
  co_await good;
}

ASYNCIO_TEST(ComingFromPythonTest, Synchronization) {
  Lock lock;
  {
    auto guard = co_await lock.scoped_acquire();
    EXPECT_TRUE(lock.locked());
  }
  EXPECT_FALSE(lock.locked());
  Event event;
  event.set();
  co_await event.wait();
  int entered = 0;
  auto body = [&]() -> Coroutine<> {
    ++entered;
    co_await sleep(1s);
  };
  Semaphore slots(2);
  co_await with(slots, body);
  EXPECT_EQ(entered, 1);
}

std::vector<std::string> printed;
void print(const char* text) { printed.push_back(text); }

ASYNCIO_TEST(ComingFromPythonTest, Loop) {
  EventLoop& loop = get_running_loop();
  loop.call_later(1s, print, "x");
  Future<int> future = create_future<int>();
  auto f = [future] {
    // A copy: handles share one future.
    future.set_result(42);
  };
  loop.call_soon_threadsafe(f);
  EXPECT_EQ(co_await future, 42);
  co_await sleep(2s);
  EXPECT_EQ(printed, std::vector<std::string>{"x"});
}

ASYNCIO_TEST(ComingFromPythonTest, Subprocesses) {
  {
    Process p =
        co_await create_subprocess_exec({"ls", "-l"}, {.std_out = PIPE});
    std::string line = co_await p.std_out().readline();
    EXPECT_NE(line, "");
    int code = co_await p.wait();
    EXPECT_EQ(code, 0);
  }
  {
    Process p = co_await create_subprocess_shell("ls | wc -l");
    co_await p.wait();
  }
  const std::map<std::string, std::string> map = {{"A", "1"}};
  const std::string data = "data";
  Process p = co_await create_subprocess_exec(
      {"/bin/sh", "-c", "cat; echo $A"},
      {.std_in = PIPE, .std_out = PIPE, .env = &map});
  auto [out, err] = co_await p.communicate(data);
  EXPECT_EQ(out, "data1\n");
  EXPECT_EQ(err, "");
}

Coroutine<> serve(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) {
    writer.write(*line);
    co_await writer.drain();
  }
}

ASYNCIO_TEST(ComingFromPythonTest, Streams) {
  Server server = co_await start_server(serve, "127.0.0.1", 0);
  uint16_t port = server.port();
  const std::string host = "127.0.0.1";
  EXPECT_NE(port, 0);
  auto [reader, writer] = co_await open_connection(host, port);
  writer.write("x");
  co_await writer.drain();
  writer.write_eof();
  std::string line = co_await reader.readline();
  EXPECT_EQ(line, "x");
  auto refused = [host]() -> Coroutine<> {
    auto [reader, writer] = co_await open_connection(host, 80);
    writer.close();
  };
  static_cast<void>(co_await as_result(refused()));
}

ASYNCIO_TEST(ComingFromPythonTest, Sockets) {
  const std::string host = "127.0.0.1";
  auto infos = co_await getaddrinfo(host, 80);
  EXPECT_EQ(infos[0].address, SocketAddress(host, 80));
  DatagramEndpoint endpoint =
      co_await create_datagram_endpoint({.local_addr = {host, 0}});
  int fd = endpoint.fd();
  co_await endpoint.send("to itself", endpoint.sockname());
  {
    std::string data = co_await sock_recv(fd, 100);
    EXPECT_EQ(data, "to itself");
  }
  co_await endpoint.send("again", endpoint.sockname());
  auto [data, address] = co_await endpoint.recv();
  EXPECT_EQ(data, "again");
  EXPECT_EQ(address, endpoint.sockname());
}

ASYNCIO_TEST(ComingFromPythonTest, Signals) {
  SignalStream signals({SIGTERM, SIGINT});
  raise(SIGTERM);
  int sig = co_await signals.next();
  EXPECT_EQ(sig, SIGTERM);
}

// A test's standard input may be a file.
[[maybe_unused]] Coroutine<std::string> first_line() {
  StreamReader input = co_await standard_input();
  co_return co_await input.readline();
}

ASYNCIO_TEST(ComingFromPythonTest, ACallbackIsGivenItsFuture) {
  std::string log;
  Future<int> ready = create_future<int>();
  ready.add_done_callback([&log](Future<int> f) {  // not [&log, ready]
    log += std::to_string(f.result());
  });
  ready.set_result(1);
  co_await sleep(0s);
  EXPECT_EQ(log, "1");
}

const ContextVar<int> var("var", 0);

ASYNCIO_TEST(ComingFromPythonTest, ContextVars) {
  Token token = var.set(1);
  EXPECT_EQ(var.get(), 1);
  var.reset(token);
  EXPECT_EQ(var.get(), 0);
  co_return;
}

}  // namespace
