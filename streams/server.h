// start_server: a server that hands each connection to a callback, and Server,
// its handle.
//
//   Coroutine<> echo(StreamReader reader, StreamWriter writer) {
//     while (auto line = co_await reader.next()) {
//       writer.write(*line);
//       co_await writer.drain();
//     }
//   }
//   Server server = co_await start_server(echo, "127.0.0.1", 8888);
//   co_await server.serve_forever();
//
// The callback is a coroutine function, of which a task is made for each
// connection, or a plain function. It is kept by the server and by each task of
// it that runs. It owns what it is given: at its end the writer closes the
// connection. Each call has a copy of the context in which the server began to
// serve.
//
// Errors: what a callback throws goes to the loop's exception handler
// ("Unhandled exception in client_connected_cb") and closes its connection; a
// cancelled one closes it in silence. Where accepting fails for want of
// descriptors or memory, that is reported, and tried again after a second.
// Cancellation: of serve_forever(): closes the server, waits as wait_closed()
// does, then throws CancelledError. Of shutdown(): the server is closed, the
// connections that are left are left alone; another one ends them.
// Lifetime: a handle, move-only, null when default-constructed. Destroying it
// closes the server, unless a serve_forever() is under way; connections stay.
// Threads: the loop's; RuntimeError of a wait in a task of another.
#ifndef ASYNCIO_STREAMS_SERVER_H_
#define ASYNCIO_STREAMS_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <netdb.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/streams/host_list.h"
#include "asyncio/streams/internal/server_state.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"

namespace asyncio {

struct ServerOptions {
  size_t limit = kDefaultLimit;  // of each connection's reader
  int family = AF_UNSPEC;        // AF_INET, AF_INET6: these addresses alone
  int flags = AI_PASSIVE;        // of getaddrinfo()
  int sock = -1;                 // a bound stream socket, taken over
  int backlog = 100;             // of listen(); so many are accepted in a turn
  bool reuse_address = true;     // SO_REUSEADDR
  bool reuse_port = false;       // SO_REUSEPORT
  bool keep_alive = false;       // SO_KEEPALIVE, of each connection
  bool start_serving = true;     // else by start_serving() or serve_forever()
};

struct UnixServerOptions {
  size_t limit = kDefaultLimit;
  int sock = -1;
  int backlog = 100;
  bool start_serving = true;
  // Removes the file at the end, if it is still ours.
  bool cleanup_socket = true;
};

// A socket that a server listens on.
class ServerSocket {
 public:
  ServerSocket(SocketAddress sockname, int fd) : sockname_(sockname), fd_(fd) {}

  const SocketAddress& sockname() const { return sockname_; }
  int fd() const { return fd_; }

 private:
  SocketAddress sockname_;
  int fd_;
};

class Server {
 public:
  Server() = default;
  Server(Server&&) noexcept = default;
  Server& operator=(Server&& other) noexcept;
  ~Server() { reset(); }

  // None once it is closed.
  std::vector<ServerSocket> sockets() const;
  // Of its first socket, also once it is closed; 0 of a Unix socket.
  uint16_t port() const;
  bool is_serving() const { return state_->serving(); }

  // Both listen where `start_serving` was off. serve_forever() waits until it
  // is cancelled or the server closed, and ends with CancelledError;
  // RuntimeError where another one waits, or the server is closed.
  Coroutine<> start_serving() const;
  Coroutine<> serve_forever() const;

  // Listens no more. Connections are left alone, also those that were accepted
  // with the one whose callback closes it: theirs are still called.
  void close() const { state_->close(); }
  // Close the connections there are: after what was written is sent, or at
  // once.
  void close_clients() const { state_->close_clients(); }
  void abort_clients() const { state_->abort_clients(); }

  // Waits until it is closed and its connections are gone.
  Coroutine<> wait_closed() const;
  // Closes it, gives the connections `grace` to end, aborts those that are
  // left, and waits until all are gone.
  Coroutine<> shutdown(Duration grace) const;

  // For with(): closes it at the end, and waits for its connections.
  Coroutine<> aenter() const;
  Coroutine<bool> aexit(std::exception_ptr) const;

  explicit operator bool() const { return static_cast<bool>(state_); }

  // For the library.
  explicit Server(internal::Ref<internal::ServerState> state);

 private:
  void reset();

  internal::Ref<internal::ServerState> state_;
};

namespace internal {

// Watches the task that serves one connection.
void watch_client_task(const AnyTask& task, Ref<ClientCallback> callback,
                       Ref<Stream> stream);
// In a handler of what the callback threw: reports it, lets interrupts pass.
void client_callback_failed(Stream& stream);

template <class F>
class TypedClientCallback final : public ClientCallback {
  static_assert(std::is_invocable_v<F&, StreamReader, StreamWriter>,
                "the callback takes (StreamReader, StreamWriter)");

 public:
  template <class G>
  explicit TypedClientCallback(G&& fn) : fn_(std::forward<G>(fn)) {}

  void connected(Ref<Stream> stream) override {
    using Returned = std::invoke_result_t<F&, StreamReader, StreamWriter>;
    try {
      if constexpr (Awaitable<Returned>) {
        const auto task = create_task(
            stream->loop(),
            std::invoke(fn_, StreamReader(stream), StreamWriter(stream)));
        watch_client_task(task, Ref<ClientCallback>(this), stream);
      } else {
        std::invoke(fn_, StreamReader(stream), StreamWriter(stream));
      }
    } catch (...) {
      client_callback_failed(*stream);
    }
  }

 private:
  F fn_;
};

template <class F>
Ref<ClientCallback> make_client_callback(F&& fn) {
  return Ref<ClientCallback>(
      new TypedClientCallback<std::decay_t<F>>(std::forward<F>(fn)));
}

Coroutine<Server> make_server(Ref<ClientCallback> callback, HostList hosts,
                              uint16_t port, ServerOptions options);
Coroutine<Server> make_server(Ref<ClientCallback> callback,
                              ServerOptions options);
Coroutine<Server> make_unix_server(Ref<ClientCallback> callback,
                                   std::string path, UnixServerOptions options);

}  // namespace internal

// Listens on every address of `hosts`; an empty host is every address of this
// machine. Port 0 is one that is free, another for each address. OSError of
// bind() and listen().
template <class F>
Coroutine<Server> start_server(F&& callback, HostList hosts, uint16_t port,
                               ServerOptions options = {}) {
  return internal::make_server(
      internal::make_client_callback(std::forward<F>(callback)),
      std::move(hosts), port, options);
}
// On `options.sock`.
template <class F>
Coroutine<Server> start_server(F&& callback, ServerOptions options) {
  return internal::make_server(
      internal::make_client_callback(std::forward<F>(callback)), options);
}

// The same on a Unix socket. A socket that lies at `path` from an earlier run
// is removed; a path that begins with a NUL byte is an abstract one.
template <class F>
Coroutine<Server> start_unix_server(F&& callback, std::string_view path,
                                    UnixServerOptions options = {}) {
  return internal::make_unix_server(
      internal::make_client_callback(std::forward<F>(callback)),
      std::string(path), options);
}
template <class F>
Coroutine<Server> start_unix_server(F&& callback, UnixServerOptions options) {
  return internal::make_unix_server(
      internal::make_client_callback(std::forward<F>(callback)), std::string(),
      options);
}

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SERVER_H_
