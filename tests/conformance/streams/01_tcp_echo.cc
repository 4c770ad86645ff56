// start_server/open_connection on loopback: request/reply lines, orderly close,
// EOF seen by the server's handler.
// The twin of 01_tcp_echo.py.

#include <cstdint>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

std::string strip(std::string line) {
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

Coroutine<> amain() {
  Event finished;

  auto handle = [&](StreamReader reader, StreamWriter writer) -> Coroutine<> {
    int n = 0;
    for (;;) {
      const std::string line = co_await reader.readline();
      if (line.empty()) break;
      ++n;
      writer.write("echo " + line);
      co_await writer.drain();
    }
    print("server saw EOF after", n, "lines, at_eof", reader.at_eof());
    writer.close();
    co_await writer.wait_closed();
    finished.set();
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  const uint16_t port = server.sockets()[0].sockname().port();
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  for (const std::string word : {"one", "two"}) {
    writer.write(word + "\n");
    co_await writer.drain();
    const std::string line = co_await reader.readline();
    print(strip(line));
  }
  print("peer port matches", writer.peername().port() == port);
  writer.close();
  co_await finished.wait();
  co_await writer.wait_closed();
  print("closing", writer.is_closing());
  server.close();
  co_await server.wait_closed();
  print("serving", server.is_serving());
}

}  // namespace

int main() { run(amain()); }
