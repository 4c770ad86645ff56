#include "asyncio/streams/server.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/host_list.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/server_state.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/wait_for.h"

namespace asyncio {

using internal::ClientCallback;
using internal::LoopAccess;
using internal::Ref;
using internal::ServerState;
using internal::Stream;
using internal::System;

// --- The connections' tasks.

namespace {

void report_client(Stream& stream, const AnyTask& task,
                   std::exception_ptr exception) {
  ExceptionContext report("Unhandled exception in client_connected_cb",
                          std::move(exception));
  report.task = task;
  internal::LoopAccess::report(stream.loop(), report);
}

}  // namespace

void internal::client_callback_failed(Stream& stream) {
  std::exception_ptr exception = std::current_exception();
  if (stops_loop(exception)) throw;
  report_client(stream, AnyTask(), std::move(exception));
  stream.transport()->close();
}

void internal::watch_client_task(const AnyTask& task,
                                 Ref<ClientCallback> callback,
                                 Ref<Stream> stream) {
  task.add_done_callback([callback = std::move(callback),
                          stream = std::move(stream), task](AnyFuture done) {
    if (!done.cancelled()) {
      std::exception_ptr exception = done.exception();
      if (exception == nullptr) return;
      report_client(*stream, task, std::move(exception));
    }
    stream->transport()->close();
  });
}

// --- Server

namespace {

std::string describe(const ServerState& state) {
  std::string text = "<Server sockets=(";
  const char* comma = "";
  if (state.open()) {
    for (const auto& listener : state.listeners()) {
      text += comma + listener->address().to_string();
      comma = ", ";
    }
  }
  return text + ")>";
}

// Before a wait in it.
void check_loop(const ServerState& state) {
  if (internal::step_task()->loop() != &state.loop()) {
    throw RuntimeError("server " + describe(state) +
                       " is bound to a different event loop");
  }
}

// Waits until a server is closed and its connections are gone.
class ServerClosedAwaiter final : public internal::LibraryAwaiter {
 public:
  explicit ServerClosedAwaiter(ServerState& state) : state_(state) {}
  ServerClosedAwaiter(const ServerClosedAwaiter&) = delete;
  ServerClosedAwaiter& operator=(const ServerClosedAwaiter&) = delete;

  bool await_ready() const { return !state_.open() && state_.clients() == 0; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    check_loop(state_);
    state_.closed_waiters().park(node_, kKind, caller.promise());
  }
  void await_resume() {
    if (!node_.waits()) return;
    node_.leave();
    internal::step_task()->check_cancelled();
  }

 private:
  static constexpr internal::WaiterKind kKind =
      internal::WaitNode::kind_named("Server.wait_closed");
  ServerState& state_;
  internal::WaitNode node_;
};

class ServerClosed {
 public:
  explicit ServerClosed(ServerState& state) : state_(state) {}
  ServerClosedAwaiter operator co_await() const {
    return ServerClosedAwaiter(state_);
  }

 private:
  ServerState& state_;
};

Coroutine<> wait_closed(Ref<ServerState> state) {
  co_await ServerClosed(*state);
}

// While it lives the server listens, whatever becomes of its handle.
class OpenHold {
 public:
  explicit OpenHold(Ref<ServerState> state) : state_(std::move(state)) {
    state_->hold_open();
  }
  OpenHold(const OpenHold&) = delete;
  OpenHold& operator=(const OpenHold&) = delete;
  ~OpenHold() { state_->drop_open(); }
  ServerState* operator->() const { return state_.get(); }
  const Ref<ServerState>& state() const { return state_; }

 private:
  Ref<ServerState> state_;
};

void check_open(const ServerState& state) {
  if (!state.open()) {
    throw RuntimeError("server " + describe(state) + " is closed");
  }
}

Coroutine<> start_serving(Ref<ServerState> state) {
  check_open(*state);
  state->start_serving();
  co_await sleep(Duration::zero());
}

Coroutine<> serve_forever(Ref<ServerState> state) {
  if (state->forever()) {
    throw RuntimeError("server " + describe(*state) +
                       " is already being awaited on serve_forever()");
  }
  check_open(*state);
  check_loop(*state);
  const OpenHold hold(state);
  state->start_serving();
  Future<> forever = create_future<>();
  state->forever() = forever;
  const Result<> end = co_await as_result(forever);
  state->close();
  const Result<> closed = co_await as_result(wait_closed(state));
  if (state->forever() == forever) state->forever() = Future<>();
  closed.rethrow();  // the later cancellation, if there was one
  end.rethrow();
}

Coroutine<> shut_down(Ref<ServerState> state, Duration grace) {
  state->close();
  const Result<> drained =
      co_await as_result(wait_for(wait_closed(state), grace));
  if (drained.get_if<TimeoutError>() == nullptr) {
    drained.rethrow();
    co_return;
  }
  state->abort_clients();
  co_await ServerClosed(*state);
}

Coroutine<bool> close_and_wait(Ref<ServerState> state) {
  state->close();
  co_await ServerClosed(*state);
  co_return false;
}

Coroutine<> nothing() { co_return; }

}  // namespace

Server::Server(Ref<ServerState> state) : state_(std::move(state)) {
  state_->hold_open();
}

Server& Server::operator=(Server&& other) noexcept {
  if (this != &other) {
    reset();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Server::reset() {
  if (Ref<ServerState> state = std::exchange(state_, nullptr)) {
    state->drop_open();
  }
}

std::vector<ServerSocket> Server::sockets() const {
  std::vector<ServerSocket> sockets;
  if (!state_->open()) return sockets;
  for (const auto& listener : state_->listeners()) {
    sockets.emplace_back(listener->address(), listener->fd());
  }
  return sockets;
}

uint16_t Server::port() const {
  return state_->listeners().front()->address().port();
}

Coroutine<> Server::start_serving() const {
  return asyncio::start_serving(state_);
}
Coroutine<> Server::serve_forever() const {
  return asyncio::serve_forever(state_);
}
Coroutine<> Server::wait_closed() const { return asyncio::wait_closed(state_); }
Coroutine<> Server::shutdown(Duration grace) const {
  return shut_down(state_, grace);
}
Coroutine<> Server::aenter() const { return nothing(); }
Coroutine<bool> Server::aexit(std::exception_ptr) const {
  return close_and_wait(state_);
}

// --- Making one.

namespace {

void check_limit(size_t limit) {
  if (limit == 0) throw ValueError("Limit cannot be <= 0");
}

void set_option(int fd, int level, int option, const char* name) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) != 0) {
    throw_os_error(errno, std::string("setsockopt ") + name);
  }
}

Coroutine<Server> finish_server(Ref<ServerState> state, bool start_serving) {
  Server server(state);
  if (start_serving) {
    state->start_serving();
    // As in Python: the first clients come a turn later.
    co_await sleep(Duration::zero());
  }
  co_return std::move(server);
}

// Every address of the hosts, without doubles, in their order.
Coroutine<std::vector<AddrInfo>> look_up(HostList hosts, uint16_t port,
                                         ServerOptions options) {
  std::vector<std::string> names = hosts.hosts();
  if (names.empty()) names.emplace_back();
  std::vector<AddrInfo> all;
  for (const std::string& name : names) {
    AddrInfoOptions asked;
    asked.family = options.family;
    asked.type = SOCK_STREAM;
    asked.flags = options.flags;
    std::vector<AddrInfo> found = co_await getaddrinfo(name, port, asked);
    for (AddrInfo& info : found) {
      bool known = false;
      for (const AddrInfo& other : all) known |= other.address == info.address;
      if (!known) all.push_back(std::move(info));
    }
  }
  co_return std::move(all);
}

// A bound socket; none where this machine has no such family or address.
FileDescriptor bind_socket(System& system, const AddrInfo& info,
                           const ServerOptions& options) {
  const int made = system.socket(info.family, info.type, info.proto);
  if (made == -EAFNOSUPPORT || made == -EPROTONOSUPPORT)
    return FileDescriptor();
  if (made < 0) throw_os_error(-made, "socket for " + info.address.to_string());
  FileDescriptor fd(made);
  if (options.reuse_address) {
    set_option(made, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
  }
  if (options.reuse_port) {
    set_option(made, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT");
  }
  // So that the same port can be bound for IPv4 beside it.
  if (info.family == AF_INET6) {
    set_option(made, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
  }
  if (bind(made, info.address.data(), info.address.size()) != 0) {
    const int error = errno;
    if (error == EADDRNOTAVAIL) return FileDescriptor();
    throw_os_error(error, "bind to " + info.address.to_string());
  }
  return fd;
}

void check_listening_socket(int fd, bool unix_socket) {
  internal::check_stream_socket(fd, unix_socket);
  internal::set_nonblocking(fd);
}

}  // namespace

Coroutine<Server> internal::make_server(Ref<ClientCallback> callback,
                                        HostList hosts, uint16_t port,
                                        ServerOptions options) {
  check_limit(options.limit);
  if (options.sock >= 0) {
    throw ValueError(
        "host/port and sock can not be specified at the same time");
  }
  EventLoop& loop = get_running_loop();
  System& system = LoopAccess::system(loop);
  const std::vector<AddrInfo> infos = co_await look_up(hosts, port, options);
  Ref<ServerState> state(new ServerState(loop, std::move(callback),
                                         options.limit, options.backlog,
                                         options.keep_alive));
  for (const AddrInfo& info : infos) {
    FileDescriptor fd = bind_socket(system, info, options);
    if (!fd) continue;
    state->add_listener(fd.get(), "");
    fd.release();
  }
  if (state->listeners().empty()) {
    std::string text = "could not bind on any address out of [";
    const char* comma = "";
    for (const AddrInfo& info : infos) {
      text += comma + info.address.to_string();
      comma = ", ";
    }
    throw OSError(text + "]");
  }
  co_return co_await finish_server(state, options.start_serving);
}

Coroutine<Server> internal::make_server(Ref<ClientCallback> callback,
                                        ServerOptions options) {
  check_limit(options.limit);
  if (options.sock < 0) {
    throw ValueError("Neither host/port nor sock were specified");
  }
  EventLoop& loop = get_running_loop();
  check_listening_socket(options.sock, /*unix_socket=*/false);
  Ref<ServerState> state(new ServerState(loop, std::move(callback),
                                         options.limit, options.backlog,
                                         options.keep_alive));
  state->add_listener(options.sock, "");
  co_return co_await finish_server(state, options.start_serving);
}

namespace {

// Removes what a server that ended without cleaning up left behind.
void remove_stale_socket(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    unlink(path.c_str());
  }
}

FileDescriptor bind_unix_socket(System& system, const std::string& path) {
  const SocketAddress address = SocketAddress::from_path(path);
  const int made = system.socket(AF_UNIX, SOCK_STREAM, 0);
  if (made < 0) throw_os_error(-made, "socket for " + path);
  FileDescriptor fd(made);
  if (path[0] != '\0') remove_stale_socket(path);
  if (bind(made, address.data(), address.size()) != 0) {
    throw_os_error(errno, "bind to " + address.to_string());
  }
  return fd;
}

}  // namespace

Coroutine<Server> internal::make_unix_server(Ref<ClientCallback> callback,
                                             std::string path,
                                             UnixServerOptions options) {
  check_limit(options.limit);
  if (!path.empty() && options.sock >= 0) {
    throw ValueError("path and sock can not be specified at the same time");
  }
  if (path.empty() && options.sock < 0) {
    throw ValueError("path was not specified, and no sock specified");
  }
  EventLoop& loop = get_running_loop();
  FileDescriptor bound;
  if (options.sock >= 0) {
    check_listening_socket(options.sock, /*unix_socket=*/true);
    path = SocketAddress::local_of(options.sock).path();
  } else {
    bound = bind_unix_socket(LoopAccess::system(loop), path);
  }
  std::string file;
  if (options.cleanup_socket && !path.empty() && path[0] != '\0') file = path;
  Ref<ServerState> state(new ServerState(loop, std::move(callback),
                                         options.limit, options.backlog,
                                         /*keep_alive=*/false));
  state->add_listener(options.sock >= 0 ? options.sock : bound.get(),
                      std::move(file));
  bound.release();
  co_return co_await finish_server(state, options.start_serving);
}

}  // namespace asyncio
