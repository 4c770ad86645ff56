// Iterating over a StreamReader yields lines (with their newline) until EOF,
// last partial line included. The twin of 11_async_for_lines.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> handle(StreamReader, StreamWriter writer) {
  for (const char* part : {"a\nbb\n\ncc", "c\nlast"}) {
    writer.write(part);
    co_await writer.drain();
    co_await sleep(5ms);
  }
  writer.close();
}

Coroutine<> amain() {
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  int n = 0;
  while (auto line = co_await reader.next()) {
    ++n;
    print(n, line->size(), line->ends_with("\n"));
  }
  print("lines", n, "at_eof", reader.at_eof());
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
