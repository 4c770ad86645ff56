// close() right after a large write still sends everything buffered before
// closing.
// The twin of 18_close_flushes.py.

#include <cstddef>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  const size_t n = 3'000'000;

  auto handle = [&](StreamReader, StreamWriter writer) -> Coroutine<> {
    writer.write(std::string(n, 'z'));
    writer.close();
    co_await writer.wait_closed();
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  const std::string all = co_await reader.read();
  print(all.size());
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
