// The echo server on StreamReader and StreamWriter: for
// benchmarks/peers/echo_run, which compares it with the peers' servers.
//
//   bazel run -c opt //benchmarks:echo_streams -- [accept]
//
// Prints "port N", serves on 127.0.0.1, and ends after ten minutes. Given
// `accept`, it closes each connection as it comes.

#include <cstddef>
#include <string_view>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/benchmarks/peers/echo.h"
#include "asyncio/streams/server.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  char buffer[512];  // most of what an idle connection keeps
  try {
    while (true) {
      const size_t size = co_await reader.read_into(buffer);
      if (size == 0) break;
      writer.write(std::string_view(buffer, size));
      co_await writer.drain();
    }
  } catch (const OSError&) {
    // The client is gone.
  }
}

Coroutine<> hang_up(StreamReader, StreamWriter writer) {
  writer.close();
  co_return;
}

Coroutine<> serve(bool closes) {
  Server server =
      co_await start_server(closes ? hang_up : echo, "127.0.0.1", 0);
  print_port(server.port());
  co_await server.serve_forever();
}

}  // namespace
}  // namespace asyncio

int main(int argc, char** argv) {
  asyncio::run(asyncio::serve(closes_at_once(argc, argv) != 0));
}
