// An exception in client_connected_cb goes to the exception handler and closes
// the connection; other clients are served; a cancelled handler is silent. The
// twin of 22_handler_exception.py.

#include <chrono>
#include <cstdint>
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

Coroutine<> handle(StreamReader reader, StreamWriter writer) {
  const std::string cmd = strip(co_await reader.readline());
  if (cmd == "fail") throw ValueError("handler failed");
  if (cmd == "cancel") {
    current_task().cancel();
    co_await sleep(1s);
  }
  writer.write("served\n");
  writer.close();
}

Coroutine<> ask(uint16_t port, std::string cmd) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  writer.write(cmd + "\n");
  const std::string data = co_await reader.read();
  writer.close();
  print(cmd, "got", data.size(), "bytes");
}

Coroutine<> amain() {
  get_running_loop().set_exception_handler([](EventLoop&,
                                              const ExceptionContext& context) {
    print("handler:", context.message, "|", exception_name(context.exception),
          exception_message(context.exception));
  });
  Server server = co_await start_server(handle, "127.0.0.1", 0);
  const uint16_t port = server.sockets()[0].sockname().port();
  co_await ask(port, "ok");
  co_await ask(port, "fail");
  co_await ask(port, "cancel");
  co_await ask(port, "ok");
  server.close();
}

}  // namespace

int main() { run(amain()); }
