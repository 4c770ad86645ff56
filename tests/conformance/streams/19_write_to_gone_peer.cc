// Writing on after the peer closed ends in a ConnectionError (reset or broken
// pipe) from drain, not in a hang or a signal.
// The twin of 19_write_to_gone_peer.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> handle(StreamReader, StreamWriter writer) {
  writer.close();
  co_return;
}

Coroutine<> amain() {
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  const std::string end = co_await reader.read();
  print("eof", end.size());
  int n = 0;
  try {
    while (n < 1000) {
      ++n;
      writer.write(std::string(1000, 'x'));
      co_await writer.drain();
      co_await sleep(1ms);
    }
    print("no error");
  } catch (const ConnectionError&) {
    print("ConnectionError, before the limit", n < 1000);
  }
  try {
    co_await writer.drain();
    print("no error");
  } catch (const ConnectionError&) {
    print("ConnectionError again");
  }
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
