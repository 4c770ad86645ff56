// Closing the writer gives EOF to the own reader; drain after that raises
// ConnectionResetError "Connection lost"; wait_closed may be repeated.
// The twin of 17_own_close.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> handle(StreamReader reader, StreamWriter writer) {
  co_await reader.read();
  writer.close();
}

Coroutine<> amain() {
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  Task<std::string> t = create_task(reader.read());
  co_await sleep(0s);
  writer.close();
  writer.close();
  print("closing", writer.is_closing());
  co_await writer.wait_closed();
  co_await writer.wait_closed();
  const std::string got = co_await t;
  print("pending read got", got.size(), "at_eof", reader.at_eof());
  try {
    co_await writer.drain();
  } catch (const ConnectionResetError& e) {
    print("ConnectionResetError", e.what());
  }
  server.close();
  co_await server.wait_closed();
  print("end");
}

}  // namespace

int main() { run(amain()); }
