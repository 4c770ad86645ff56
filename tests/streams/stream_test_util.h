// What the tests of streams share.
#ifndef ASYNCIO_TESTS_STREAMS_STREAM_TEST_UTIL_H_
#define ASYNCIO_TESTS_STREAMS_STREAM_TEST_UTIL_H_

#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <sys/socket.h>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"

namespace asyncio {

// Lets `n` turns of the loop pass.
inline Coroutine<> turns(int n = 1) {
  for (int i = 0; i < n; ++i) co_await sleep(std::chrono::seconds(0));
}

// What an awaitable ends with: "ValueError: text", or "".
template <class A>
Coroutine<std::string> ending(A awaitable) {
  auto result = co_await as_result(std::move(awaitable));
  if (result.has_value()) co_return "";
  co_return exception_name(result.exception()) + ": " +
      exception_message(result.exception());
}

// What a call throws: "ValueError: text", or "".
template <class F>
std::string error_of(F call) {
  try {
    call();
  } catch (...) {
    const std::exception_ptr e = std::current_exception();
    return exception_name(e) + ": " + exception_message(e);
  }
  return "";
}

class Peer : public Connection {
 public:
  Peer(Connection connection, int fd)
      : Connection(std::move(connection)), fd(fd) {}
  int fd;
};

// Both ends of a pair of Unix sockets.
inline Coroutine<std::pair<Peer, Peer>> connected_pair(
    ConnectionOptions options = {}) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
    throw_os_error(errno, "socketpair");
  }
  options.sock = fds[0];
  Connection a = co_await open_connection(options);
  options.sock = fds[1];
  Connection b = co_await open_connection(options);
  co_return std::pair<Peer, Peer>(Peer(std::move(a), fds[0]),
                                  Peer(std::move(b), fds[1]));
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_STREAMS_STREAM_TEST_UTIL_H_
