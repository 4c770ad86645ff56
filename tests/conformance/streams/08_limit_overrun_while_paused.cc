// LimitOverrunError leaves a transport paused by back-pressure paused: asking
// again fails the same way until data is consumed, then reading resumes by
// itself. The twin of 08_limit_overrun_while_paused.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Event more;
  Event sent;

  auto handle = [&](StreamReader, StreamWriter writer) -> Coroutine<> {
    writer.write("some dataAA");
    sent.set();
    co_await more.wait();
    writer.write("A,ok,");
    writer.close();
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port(), {.limit = 3});
  co_await sent.wait();
  co_await sleep(20ms);
  print("reading", writer.transport().is_reading());
  more.set();
  for (int i = 0; i < 2; ++i) {
    co_await sleep(20ms);
    try {
      co_await reader.readuntil("AAA");
    } catch (const LimitOverrunError& e) {
      print("LimitOverrunError", e.what(), e.consumed());
    }
  }
  const std::string data = co_await reader.readexactly(9);
  print(data, "reading", writer.transport().is_reading());
  print(co_await reader.readuntil("AAA"));
  const std::string one = co_await reader.readuntil(",");
  const std::string two = co_await reader.readuntil(",");
  print(one, two);
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
