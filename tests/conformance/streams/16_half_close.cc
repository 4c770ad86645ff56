// write_eof closes only the sending half: the server reads to EOF and can still
// answer; writing afterwards is an error.
// The twin of 16_half_close.py.

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::string strip(std::string line) {
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

Coroutine<> handle(StreamReader reader, StreamWriter writer) {
  const std::string data = co_await reader.read();
  writer.write("got " + std::to_string(data.size()) + "\n");
  co_await sleep(20ms);
  writer.write("bye\n");
  writer.close();
}

Coroutine<> amain() {
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  print("can_write_eof", writer.can_write_eof());
  const std::array<std::string_view, 3> lines = {"abc", "", "defg"};
  writer.writelines(lines);
  writer.write_eof();
  print("closing", writer.is_closing());
  try {
    writer.write("more");
  } catch (const RuntimeError& e) {
    print("RuntimeError", e.what());
  }
  print(strip(co_await reader.readline()));
  print(strip(co_await reader.readline()));
  const std::string end = co_await reader.read();
  print("eof", end.size());
  writer.close();
  co_await writer.wait_closed();
  server.close();
}

}  // namespace

int main() { run(amain()); }
