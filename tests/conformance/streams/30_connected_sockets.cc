// open_connection(sock=) wraps an existing connected socket; both ends work as
// streams, line by line, close gives EOF.
// The twin of 30_connected_sockets.py.

#include <string>
#include <sys/socket.h>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

std::string strip(std::string line) {
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

Coroutine<> amain() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) co_return;
  auto [r1, w1] = co_await open_connection({.sock = ends[0]});
  auto [r2, w2] = co_await open_connection({.sock = ends[1]});
  w1.write("ping\n");
  print(strip(co_await r2.readline()));
  w2.write("pong\nmore\n");
  w2.close();
  while (auto line = co_await r1.next()) print(strip(*line));
  print("eof", r1.at_eof());
  w1.close();
  co_await w1.wait_closed();
  co_await w2.wait_closed();
}

}  // namespace

int main() { run(amain()); }
