// The network examples, each with a peer that others wrote: nc, curl, Python's
// asyncio and HTTP server. (tools/setup installs them; tests have a fixed
// PATH.)
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <signal.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/asyncio.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kNc = "/usr/bin/nc";
constexpr const char* kCurl = "/usr/bin/curl";

// Nothing hangs for longer.
void run_test(Coroutine<> body) { run(wait_for(std::move(body), 50s)); }

// A server program that says where it listens, at the end of a line or before
// " (", and that port.
class ServerProgram {
 public:
  ServerProgram(Process process, std::string port)
      : process(std::move(process)), port(std::move(port)) {}

  Process process;
  std::string port;
};

Coroutine<ServerProgram> start_program(Argv argv) {
  Process process =
      co_await create_subprocess_exec(std::move(argv), {.std_out = PIPE});
  std::string line = co_await process.std_out().readline();
  line.resize(std::min(line.find(" ("), line.find('\n')));
  co_return ServerProgram(std::move(process),
                          line.substr(line.find_last_of(' ') + 1));
}

// What a program prints that is given `input`; that it ends well.
Coroutine<std::string> output_of(Argv argv, std::string input = {}) {
  Process process = co_await create_subprocess_exec(
      std::move(argv), {.std_in = PIPE, .std_out = PIPE});
  const Output output = co_await process.communicate(std::move(input));
  EXPECT_EQ(*process.returncode(), 0);
  co_return output.std_out;
}

// What a server prints until it has ended, well, after SIGTERM.
Coroutine<std::string> terminate(ServerProgram& server) {
  server.process.terminate();
  const std::string rest = co_await server.process.std_out().read();
  EXPECT_EQ(co_await server.process.wait(), 0);
  co_return rest;
}

Coroutine<> echo_server_and_nc() {
  ServerProgram server = co_await start_program({"examples/echo_server", "0"});
  const std::string echo = co_await output_of(
      {kNc, "-N", "127.0.0.1", server.port}, "one\ntwo\nthe last");
  EXPECT_EQ(echo, "one\ntwo\nthe last");
  const std::string log = co_await terminate(server);
  EXPECT_THAT(log, HasSubstr(": two\n"));
  EXPECT_THAT(log, HasSubstr(" gone\n"));
  EXPECT_THAT(log, EndsWith("Shutting down\n"));
}
TEST(EchoServerTest, ServesNc) { run_test(echo_server_and_nc()); }

Coroutine<> echo_server_and_python() {
  ServerProgram server = co_await start_program({"examples/echo_server", "0"});
  Task<std::string> clients = create_task(output_of(
      {kPython, "tests/examples/echo_clients.py", server.port, "20"}));
  // So that the server does not wait for somebody to read what it prints.
  Task<std::string> log = create_task(server.process.std_out().read());
  EXPECT_EQ(co_await clients, "all served\n");
  server.process.send_signal(SIGINT);
  EXPECT_THAT(co_await log, EndsWith("Shutting down\n"));
  EXPECT_EQ(co_await server.process.wait(), 0);
}
TEST(EchoServerTest, ServesManyOfPythonsClients) {
  run_test(echo_server_and_python());
}

Coroutine<> echo_client_and_python() {
  ServerProgram server =
      co_await start_program({kPython, "tests/examples/echo_server.py"});
  const std::string output = co_await output_of(
      {"examples/echo_client", "127.0.0.1", server.port, "hello", "world"});
  EXPECT_EQ(output,
            "Send: hello\nReceived: HELLO\nSend: world\nReceived: WORLD\n"
            "Close the connection\n");
  server.process.kill();
  co_await server.process.wait();
  // Now nobody is there.
  Process client = co_await create_subprocess_exec(
      {"examples/echo_client", "127.0.0.1", server.port, "hello"},
      {.std_err = PIPE});
  const Output refused = co_await client.communicate();
  EXPECT_EQ(*client.returncode(), 1);
  EXPECT_THAT(refused.std_err, HasSubstr("Connection refused"));
}
TEST(EchoClientTest, TalksToPythonsServer) {
  run_test(echo_client_and_python());
}

Coroutine<> chat_server_and_python() {
  ServerProgram server = co_await start_program({"examples/chat_server", "0"});
  Process guests = co_await create_subprocess_exec(
      {kPython, "tests/examples/chat_clients.py", server.port, "10"},
      {.std_out = PIPE});
  EXPECT_EQ(co_await guests.std_out().readline(), "all heard\n");
  const std::string log = co_await terminate(server);
  EXPECT_EQ(log, "Everybody is gone\n");
  EXPECT_EQ(co_await guests.std_out().read(),
            "* The server shuts down. Goodbye.\n");
  EXPECT_EQ(co_await guests.wait(), 0);
}
TEST(ChatServerTest, ManyOfPythonsClientsTalkAndAreToldOfTheEnd) {
  run_test(chat_server_and_python());
}

Coroutine<> chat_server_and_nc() {
  ServerProgram server = co_await start_program({"examples/chat_server", "0"});
  Process ada = co_await create_subprocess_exec(
      {kNc, "127.0.0.1", server.port}, {.std_in = PIPE, .std_out = PIPE});
  StreamReader& screen = ada.std_out();
  EXPECT_EQ(co_await screen.readline(), "Your name?\n");
  ada.std_in().write("ada\n");
  // She is inside when she sees others come.
  Task<std::string> first = create_task(screen.readline());
  while (!first.done()) {
    co_await output_of({kNc, "-N", "127.0.0.1", server.port}, "eve\n");
  }
  EXPECT_EQ(co_await first, "* eve is here\n");
  const std::string other =
      co_await output_of({kNc, "-N", "127.0.0.1", server.port}, "ada\nhello\n");
  EXPECT_EQ(other, "Your name?\nSomebody else has that name.\n");
  const std::string bob =
      co_await output_of({kNc, "-N", "127.0.0.1", server.port}, "bob\nhello\n");
  EXPECT_EQ(bob, "Your name?\n");
  std::string line = co_await screen.readline();
  while (line.starts_with("* eve")) line = co_await screen.readline();
  EXPECT_EQ(line, "* bob is here\n");
  EXPECT_EQ(co_await screen.readline(), "bob: hello\n");
  EXPECT_EQ(co_await screen.readline(), "* bob is gone\n");
  co_await terminate(server);
  EXPECT_EQ(co_await screen.readline(), "* The server shuts down. Goodbye.\n");
  ada.std_in().close();  // what nc waits for
  EXPECT_EQ(co_await screen.read(), "");
  co_await ada.wait();
}
TEST(ChatServerTest, NcSeesWhoComesAndGoes) { run_test(chat_server_and_nc()); }

// A folder that Python's HTTP server shows.
class Site {
 public:
  Site() {
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    std::ofstream(folder + "/page.txt") << content;
  }
  ~Site() {
    unlink((folder + "/page.txt").c_str());
    rmdir(folder.c_str());
  }
  std::string folder = "/tmp/network_test_XXXXXX";
  const std::string content = std::string(300'000, 'x') + "\nthe end\n";
};

Coroutine<ServerProgram> start_http_server(const Site& site) {
  return start_program({kPython, "-u", "-m", "http.server", "--bind",
                        "127.0.0.1", "--directory", site.folder, "0"});
}

Coroutine<> http_get_and_python() {
  const Site site;
  ServerProgram server = co_await start_http_server(site);
  const std::string url = "http://127.0.0.1:" + server.port;
  const std::string page =
      co_await output_of({"examples/http_get", url + "/page.txt"});
  EXPECT_EQ(page, site.content);
  // Another client sees the same.
  const std::string seen_by_curl = co_await output_of(
      {kCurl, "--silent", "--noproxy", "*", url + "/page.txt"});
  EXPECT_EQ(page, seen_by_curl);

  Process missing =
      co_await create_subprocess_exec({"examples/http_get", url + "/missing"},
                                      {.std_out = PIPE, .std_err = PIPE});
  const Output answer = co_await missing.communicate();
  EXPECT_EQ(*missing.returncode(), 1);
  EXPECT_THAT(answer.std_err, StartsWith("HTTP/1.0 404 "));
  server.process.kill();
  co_await server.process.wait();
}
TEST(HttpGetTest, GetsWhatCurlGets) { run_test(http_get_and_python()); }

Coroutine<> port_scanner_and_python() {
  const Site site;
  ServerProgram server = co_await start_http_server(site);
  const std::string open = co_await output_of(
      {"examples/port_scanner", "127.0.0.1", server.port, server.port});
  EXPECT_EQ(open, server.port + " open\n");

  // Bound, so that nobody else listens there, and not listening either.
  FileDescriptor bound(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any("127.0.0.1", 0);
  EXPECT_EQ(bind(bound.get(), any.data(), any.size()), 0);
  const std::string port =
      std::to_string(SocketAddress::local_of(bound.get()).port());
  Process scanner = co_await create_subprocess_exec(
      {"examples/port_scanner", "127.0.0.1", port, port},
      {.std_out = PIPE, .std_err = PIPE});
  const Output closed = co_await scanner.communicate();
  EXPECT_EQ(closed.std_out, "");
  EXPECT_EQ(closed.std_err, "1 of 1 ports, 0 open\n");
  server.process.kill();
  co_await server.process.wait();
}
TEST(PortScannerTest, FindsAServer) { run_test(port_scanner_and_python()); }

}  // namespace
}  // namespace asyncio
