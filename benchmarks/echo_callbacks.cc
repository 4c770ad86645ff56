// The echo server on the loop's callbacks alone, without a task: for
// benchmarks/peers/echo_run, which compares it with the peers' servers.
//
//   bazel run -c opt //benchmarks:echo_callbacks -- [accept]
//
// Prints "port N", serves on 127.0.0.1, and ends after ten minutes. It takes
// messages that a socket's buffer has room for, and gives up where it has none.
// Given `accept`, it closes each connection as it comes.

#include <memory>
#include <sys/socket.h>
#include <unistd.h>

#include "asyncio/benchmarks/peers/echo.h"
#include "asyncio/loop/event_loop.h"

namespace asyncio {
namespace {

void serve(EventLoop& loop, int fd) {
  static char buffer[65536];
  const ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
  if (size <= 0) {
    loop.remove_reader(fd);
    close(fd);
  } else {
    check(send(fd, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) == size,
          "send");
  }
}

void accept_one(EventLoop& loop, int listener, bool closes) {
  const int fd =
      accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (closes) {
    close(fd);
    return;
  }
  set_no_delay(fd);
  loop.add_reader(fd, [&loop, fd] { serve(loop, fd); });
}

int serve_all(bool closes) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  const int listener = listen_on_loopback();
  loop->add_reader(listener, [&] { accept_one(*loop, listener, closes); });
  loop->run_forever();
  return 0;
}

}  // namespace
}  // namespace asyncio

int main(int argc, char** argv) {
  return asyncio::serve_all(closes_at_once(argc, argv) != 0);
}
