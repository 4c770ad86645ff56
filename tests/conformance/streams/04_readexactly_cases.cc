// readexactly waits for n bytes, 0 gives empty, negative ValueError, early EOF
// IncompleteReadError with partial and expected.
// The twin of 04_readexactly_cases.py.

#include <chrono>
#include <string>
#include <type_traits>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> handle(StreamReader, StreamWriter writer) {
  for (const char* part : {"12", "34", "5678", "tail"}) {
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
  print(co_await reader.readexactly(3));
  print(co_await reader.readexactly(5));
  const std::string zero = co_await reader.readexactly(0);
  print("zero", zero.size());
  try {
    co_await reader.readexactly(-1);
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  try {
    co_await reader.readexactly(10);
  } catch (const IncompleteReadError& e) {
    print("IncompleteReadError", e.partial(), *e.expected(), e.what());
  }
  try {
    co_await reader.readexactly(1);
  } catch (const IncompleteReadError& e) {
    print("again", e.partial().size(), *e.expected());
  }
  print("IncompleteReadError is EOFError",
        std::is_base_of_v<EOFError, IncompleteReadError>);
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
