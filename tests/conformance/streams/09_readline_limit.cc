// readline over the limit raises ValueError; with the newline found only that
// line is dropped, else the whole buffer.
// The twin of 09_readline_limit.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

std::string strip(std::string line) {
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

Coroutine<> amain() {
  Queue<int> go;
  Queue<int> sent;

  auto handle = [&](StreamReader, StreamWriter writer) -> Coroutine<> {
    for (const char* data :
         {"toolongline\nok\n", "waytoolongwithoutnewline", "good\n"}) {
      co_await go.get();
      writer.write(data);
      sent.put_nowait(1);
    }
    writer.close();
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port(), {.limit = 5});
  go.put_nowait(1);
  co_await sent.get();
  co_await sleep(20ms);
  try {
    co_await reader.readline();
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  print(strip(co_await reader.readline()));
  go.put_nowait(2);
  co_await sent.get();
  co_await sleep(20ms);
  try {
    co_await reader.readline();
  } catch (const ValueError& e) {
    print("ValueError", e.what());
  }
  go.put_nowait(3);
  print(strip(co_await reader.readline()));
  const std::string end = co_await reader.readline();
  print("eof", end.size());
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
