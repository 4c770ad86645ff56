// Connecting to a closed port raises ConnectionRefusedError, a missing unix
// socket FileNotFoundError; the loop goes on. The twin of
// 20_connection_refused.py.

#include <cstdint>
#include <tuple>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> handle(StreamReader, StreamWriter writer) {
  writer.close();
  co_return;
}

Coroutine<> amain() {
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  const uint16_t port = server.sockets()[0].sockname().port();
  server.close();
  co_await server.wait_closed();
  try {
    co_await open_connection("127.0.0.1", port);
  } catch (const OSError& e) {
    print(exception_name(e));
  }
  try {
    co_await open_unix_connection("/nonexistent/dir/socket");
  } catch (const OSError& e) {
    print(exception_name(e));
  }
  auto r = co_await gather(
      return_exceptions, open_connection("127.0.0.1", port),
      open_connection("127.0.0.1", port), open_connection("127.0.0.1", port));
  print(exception_name(std::get<0>(r).exception()),
        exception_name(std::get<1>(r).exception()),
        exception_name(std::get<2>(r).exception()));
}

}  // namespace

int main() { run(amain()); }
