// read(n) returns 1..n available bytes, read(0) empty at once, read()
// everything until EOF, at_eof needs an empty buffer. The twin of
// 10_read_variants.py.

#include <chrono>
#include <cstdint>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::string strip(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin);
}

Coroutine<> amain() {
  Queue<int> sent;

  auto handle = [&](StreamReader, StreamWriter writer) -> Coroutine<> {
    writer.write("hello world");
    writer.close();
    co_await writer.wait_closed();
    sent.put_nowait(1);
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  const uint16_t port = server.sockets()[0].sockname().port();
  auto [reader, writer] =
      co_await open_connection("127.0.0.1", port, {.limit = 4});
  co_await sent.get();
  co_await sleep(20ms);
  const std::string zero = co_await reader.read(0);
  print("zero", zero.size());
  print(co_await reader.read(5));
  print("at_eof", reader.at_eof());
  print(strip(co_await reader.read(100)));
  co_await sleep(20ms);
  print("at_eof", reader.at_eof());
  const std::string ten = co_await reader.read(10);
  const std::string rest = co_await reader.read();
  print("empty", ten.size(), rest.size());
  writer.close();
  Connection second = co_await open_connection("127.0.0.1", port, {.limit = 4});
  const std::string all = co_await second.reader.read();
  print("all", all, "at_eof", second.reader.at_eof());
  auto [reader2, writer2] =
      co_await open_connection("127.0.0.1", port, {.limit = 4});
  print("beyond limit", co_await reader2.readexactly(11));
  second.writer.close();
  writer2.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
