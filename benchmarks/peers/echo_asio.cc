// Standalone asio: the echo server, a coroutine a connection.
//
//   c++ -std=c++20 -O2 echo_asio.cc -lpthread -o echo_asio
//   echo_asio [accept]

#include <asio.hpp>
#include <utility>

#include "echo.h"

namespace {

using asio::awaitable;
using asio::detached;
using asio::use_awaitable;
using asio::ip::tcp;

awaitable<void> serve(tcp::socket socket) {
  char buffer[65536];
  try {
    for (;;) {
      const size_t size =
          co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(socket, asio::buffer(buffer, size),
                                 use_awaitable);
    }
  } catch (const std::system_error&) {
  }
}

awaitable<void> accept_all(tcp::acceptor acceptor, bool closes) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    if (closes) continue;
    socket.set_option(tcp::no_delay(true));
    co_spawn(acceptor.get_executor(), serve(std::move(socket)), detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context io(1);
  const bool closes = closes_at_once(argc, argv);
  co_spawn(io,
           accept_all(tcp::acceptor(io, tcp::v4(), listen_on_loopback()),
                      closes),
           detached);
  io.run();
}
