// (3.12.1) wait_closed blocks until close() was called and every connection is
// gone.
// The twin of 26_server_wait_closed.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> serve(StreamReader reader, StreamWriter writer) {
  auto body = [&]() -> Coroutine<> { co_await reader.read(); };
  auto cleanup = [&]() -> Coroutine<> {
    writer.close();
    co_await writer.wait_closed();
  };
  co_await try_finally(body, cleanup);
}

Coroutine<> amain() {
  Server server = co_await start_server(serve, "127.0.0.1", 0);
  Task<> t1 = create_task(server.wait_closed());
  co_await sleep(0s);
  print("open, no clients:", t1.done());
  const SocketAddress addr = server.sockets()[0].sockname();
  auto [reader, writer] = co_await open_connection(addr.host(), addr.port());
  co_await sleep(10ms);
  server.close();
  Task<> t2 = create_task(server.wait_closed());
  co_await sleep(20ms);
  print("closed, one client:", t1.done(), t2.done(), "sockets",
        server.sockets().size());
  writer.close();
  co_await writer.wait_closed();
  co_await t1;
  co_await t2;
  co_await server.wait_closed();
  print("all gone", t1.done(), t2.done());
}

}  // namespace

int main() { run(amain()); }
