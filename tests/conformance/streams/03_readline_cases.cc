// readline: lines split over packets, several lines in one packet, last line
// without newline at EOF, then empty bytes forever.
// The twin of 03_readline_cases.py.

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
  Queue<std::string> chunks;

  auto handle = [&](StreamReader, StreamWriter writer) -> Coroutine<> {
    for (;;) {
      const std::string c = co_await chunks.get();
      if (c.empty()) break;
      writer.write(c);
      co_await writer.drain();
    }
    writer.close();
  };

  Server server = co_await start_server(handle, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection(
      "127.0.0.1", server.sockets()[0].sockname().port());
  Task<std::string> t = create_task(reader.readline());
  for (const char* c : {"spl", "it li", "ne\nsecond\nthird\npart", "ial"}) {
    chunks.put_nowait(c);
    co_await sleep(10ms);
  }
  print("first", strip(co_await t));
  print("second", strip(co_await reader.readline()));
  const std::string third = co_await reader.readline();
  print("third", strip(third), "at_eof", reader.at_eof());
  t = create_task(reader.readline());
  co_await sleep(10ms);
  print("partial waits for EOF", !t.done());
  chunks.put_nowait("");
  const std::string last = co_await t;
  print("last", last, last.ends_with("\n"), "at_eof", reader.at_eof());
  const std::string one = co_await reader.readline();
  const std::string two = co_await reader.readline();
  print("after EOF", one.size(), two.size());
  writer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
