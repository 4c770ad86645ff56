// Readuntil finds a separator that is cut in two, the shortest message of several
// separators, and leaves what is over the limit; each method refuses while another
// task reads.
// The twin of 60_separators_across_chunks.py.

#include <chrono>
#include <string>
#include <utility>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class A>
Coroutine<> print_error(A awaitable) {
  auto end = co_await as_result(std::move(awaitable));
  if (const auto* overrun = end.template get_if<LimitOverrunError>()) {
    print(overrun->what(), overrun->consumed());
  } else {
    print(exception_message(end.exception()));
  }
}

Coroutine<> amain() {
  Future<StreamWriter> connected = create_future<StreamWriter>();
  auto handle = [&](StreamReader, StreamWriter writer) {
    connected.set_result(std::move(writer));
  };
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  ConnectionOptions options;
  options.limit = 16;
  auto [reader, writer] =
      co_await open_connection("127.0.0.1", server.port(), options);
  const StreamWriter peer = co_await std::move(connected);

  auto send = [&](std::string data) -> Coroutine<> {
    peer.write(data);
    co_await peer.drain();
    co_await sleep(20ms);
  };

  co_await send("abc\r");
  Task<std::string> cut = create_task(reader.readuntil("\r\n"));
  co_await sleep(20ms);
  print(cut.done());
  co_await send("\nde");
  const std::string line = co_await cut;
  const std::string de = co_await reader.readexactly(2);
  print(line.size(), de);
  co_await send("one;two\nthree");
  const std::string one = co_await reader.readuntil({"\n", ";"});
  const std::string two = co_await reader.readuntil({";", "\n"});
  print(one, two.substr(0, 3));
  co_await send(std::string(20, '-'));
  co_await print_error(reader.readuntil("\n"));
  co_await print_error(reader.readline());
  co_await send(std::string(18, '-') + "\nrest");
  co_await print_error(reader.readuntil("\n"));
  co_await print_error(reader.readline());
  print(co_await reader.readexactly(4));
  Task<std::string> waiting = create_task(reader.readexactly(5));
  co_await sleep(0s);
  co_await print_error(reader.read(1));
  co_await print_error(reader.readline());
  co_await print_error(reader.readexactly(1));
  co_await print_error(reader.read());
  co_await send("ab");
  waiting.cancel();
  try {
    co_await waiting;
  } catch (const CancelledError&) {
    print("cancelled");
  }
  co_await send("cd");
  peer.write_eof();
  try {
    co_await reader.readuntil("\n");
  } catch (const IncompleteReadError& e) {
    print(e.what(), e.partial());
  }
  co_await print_error(reader.readuntil("\n"));
  writer.close();
  peer.close();
  server.close();
}

}  // namespace

int main() { run(amain()); }
