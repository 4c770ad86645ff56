#include "asyncio/streams/connect.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/internal/fd_ready.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait.h"

namespace asyncio {
namespace {

using internal::FdReady;
using internal::FdTransport;
using internal::kIoWrite;
using internal::LoopAccess;
using internal::Ref;
using internal::Stream;
using internal::System;
using std::chrono::milliseconds;

constexpr Duration kFirstRetryDelay = milliseconds(1);
constexpr Duration kLongestRetryDelay = milliseconds(50);

void check_limit(size_t limit) {
  if (limit == 0) throw ValueError("Limit cannot be <= 0");
}

Connection connection_of(const Ref<Stream>& stream) {
  return Connection(StreamReader(stream), StreamWriter(stream));
}

Connection open_connected(EventLoop& loop, FileDescriptor fd,
                          const SocketAddress& peer, size_t limit) {
  internal::set_nodelay(fd.get(), peer);
  Ref<Stream> stream =
      Stream::open(loop, fd.get(), FdTransport::Kind::kSocket, limit, peer);
  fd.release();
  return connection_of(stream);
}

Coroutine<> connect_socket(EventLoop& loop, int fd, SocketAddress address) {
  System& system = LoopAccess::system(loop);
  Duration delay = kFirstRetryDelay;
  int status = system.connect(fd, address.data(), address.size());
  while (status == -EAGAIN && address.family() == AF_UNIX) {
    // The server's queue is full: nothing tells when it is not.
    co_await sleep(delay);
    delay = std::min(delay + delay, kLongestRetryDelay);
    status = system.connect(fd, address.data(), address.size());
  }
  if (status == -EINPROGRESS || status == -EINTR) {
    co_await FdReady(loop, fd, kIoWrite);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    status = -error;
  }
  if (status < 0) throw_os_error(-status, "connect to " + address.to_string());
}

void bind_local(int fd, int family, const SocketAddress& local) {
  if (local.family() != family) {
    throw OSError("no matching local address with family=" +
                  std::to_string(family) + " found");
  }
  if (bind(fd, local.data(), local.size()) != 0) {
    throw_os_error(errno, "bind to " + local.to_string());
  }
}

Coroutine<FileDescriptor> connect_to(EventLoop& loop, AddrInfo info,
                                     std::optional<SocketAddress> local) {
  System& system = LoopAccess::system(loop);
  const int made = system.socket(info.family, info.type, info.proto);
  if (made < 0) throw_os_error(-made, "socket for " + info.address.to_string());
  FileDescriptor fd(made);
  if (local) bind_local(made, info.family, *local);
  co_await connect_socket(loop, made, info.address);
  co_return std::move(fd);
}

class Connected {
 public:
  FileDescriptor fd;
  SocketAddress peer;
};

using Errors = std::vector<std::exception_ptr>;

// OSErrors are collected; what else was thrown passes.
void collect(Errors& errors, const Result<FileDescriptor>& failure) {
  if (failure.get_if<OSError>() == nullptr) failure.rethrow();
  errors.push_back(failure.exception());
}

// One address after the other.
Coroutine<std::optional<Connected>> connect_in_turn(
    EventLoop& loop, const std::vector<AddrInfo>& infos,
    const ConnectionOptions& options, Errors& errors) {
  for (const AddrInfo& info : infos) {
    Result<FileDescriptor> result =
        co_await as_result(connect_to(loop, info, options.local_addr));
    if (result.has_value()) {
      std::optional<Connected> connected(std::in_place);
      connected->fd = *std::move(result);
      connected->peer = info.address;
      co_return std::move(connected);
    }
    collect(errors, result);
  }
  co_return std::nullopt;
}

// RFC 8305: an attempt begins when the one before it has failed or has had
// `delay`.
class Race {
 public:
  Race(EventLoop& loop, const std::vector<AddrInfo>& infos,
       const ConnectionOptions& options)
      : loop_(loop), infos_(infos), options_(options) {}
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  // Whatever socket a loser has or gets goes with its task.
  ~Race() {
    for (const Task<FileDescriptor>& task : running_) task.cancel();
  }

  Coroutine<std::optional<Connected>> run(Errors& errors) {
    size_t next = 0;
    while (next < infos_.size() || !running_.empty()) {
      if (next < infos_.size()) start(next++);
      std::optional<Connected> winner;
      bool waited_enough = false;
      while (!waited_enough) {
        WaitOptions until;
        until.return_when = FIRST_COMPLETED;
        if (next < infos_.size()) until.timeout = options_.happy_eyeballs_delay;
        auto waited = co_await wait(running_, until);
        const bool last_is_done = running_.back().done();
        winner = collect_done(errors);
        if (winner) co_return std::move(winner);
        waited_enough = waited.done.empty() || last_is_done || running_.empty();
      }
    }
    co_return std::nullopt;
  }

 private:
  void start(size_t i) {
    running_.push_back(
        create_task(loop_, connect_to(loop_, infos_[i], options_.local_addr)));
    peers_.push_back(infos_[i].address);
  }

  // Takes out those that have ended; the first that is connected wins.
  std::optional<Connected> collect_done(Errors& errors) {
    std::optional<Connected> winner;
    for (size_t i = 0; i < running_.size();) {
      if (!running_[i].done()) {
        ++i;
        continue;
      }
      const std::exception_ptr failure = running_[i].exception();
      if (failure != nullptr) {
        collect(errors, Result<FileDescriptor>(failure));
      } else if (!winner) {
        winner.emplace();
        winner->fd =
            std::move(const_cast<FileDescriptor&>(running_[i].result()));
        winner->peer = peers_[i];
      }
      running_.erase(running_.begin() + static_cast<ptrdiff_t>(i));
      peers_.erase(peers_.begin() + static_cast<ptrdiff_t>(i));
    }
    return winner;
  }

  EventLoop& loop_;
  const std::vector<AddrInfo>& infos_;
  const ConnectionOptions& options_;
  // In the order of their start.
  std::vector<Task<FileDescriptor>> running_;
  std::vector<SocketAddress> peers_;
};

// The families in turns, after `first - 1` of the first one.
std::vector<AddrInfo> interleaved(std::vector<AddrInfo> infos, size_t first) {
  std::vector<int> families;
  std::vector<std::vector<AddrInfo>> lists;
  for (AddrInfo& info : infos) {
    const auto found = std::find(families.begin(), families.end(), info.family);
    const size_t i = static_cast<size_t>(found - families.begin());
    if (found == families.end()) {
      families.push_back(info.family);
      lists.emplace_back();
    }
    lists[i].push_back(std::move(info));
  }
  std::vector<AddrInfo> result;
  const size_t before = std::min(first - 1, lists[0].size());
  for (size_t i = 0; i < before; ++i) result.push_back(std::move(lists[0][i]));
  lists[0].erase(lists[0].begin(),
                 lists[0].begin() + static_cast<ptrdiff_t>(before));
  for (size_t i = 0; result.size() < infos.size(); ++i) {
    for (std::vector<AddrInfo>& list : lists) {
      if (i < list.size()) result.push_back(std::move(list[i]));
    }
  }
  return result;
}

[[noreturn]] void throw_failure(Errors errors, bool all_errors) {
  if (all_errors) {
    throw ExceptionGroup("create_connection failed", std::move(errors));
  }
  const std::string model = exception_message(errors[0]);
  std::string text;
  bool same = true;
  for (const std::exception_ptr& error : errors) {
    const std::string message = exception_message(error);
    same = same && message == model;
    text += (text.empty() ? "" : ", ") + message;
  }
  if (same) std::rethrow_exception(errors[0]);
  throw OSError("Multiple exceptions: " + text);
}

Coroutine<Connection> connect_to_host(std::string host, uint16_t port,
                                      ConnectionOptions options) {
  check_limit(options.limit);
  if (options.sock >= 0) {
    throw ValueError(
        "host/port and sock can not be specified at the same time");
  }
  EventLoop& loop = get_running_loop();
  AddrInfoOptions asked;
  asked.family = options.family;
  asked.type = SOCK_STREAM;
  asked.proto = options.proto;
  asked.flags = options.flags;
  std::vector<AddrInfo> infos = co_await getaddrinfo(host, port, asked);
  if (infos.empty()) throw OSError("getaddrinfo() returned empty list");
  const size_t first =
      options.interleave.value_or(options.happy_eyeballs_delay ? 1 : 0);
  if (first > 0) infos = interleaved(std::move(infos), first);
  Errors errors;
  std::optional<Connected> connected;
  if (options.happy_eyeballs_delay) {
    Race race(loop, infos, options);
    connected = co_await race.run(errors);
  } else {
    connected = co_await connect_in_turn(loop, infos, options, errors);
  }
  if (!connected) throw_failure(std::move(errors), options.all_errors);
  co_return open_connected(loop, std::move(connected->fd), connected->peer,
                           options.limit);
}

Coroutine<Connection> connect_to_path(std::string path,
                                      UnixConnectionOptions options) {
  check_limit(options.limit);
  if (options.sock >= 0) {
    throw ValueError("path and sock can not be specified at the same time");
  }
  EventLoop& loop = get_running_loop();
  const SocketAddress address = SocketAddress::from_path(path);
  System& system = LoopAccess::system(loop);
  const int made = system.socket(AF_UNIX, SOCK_STREAM, 0);
  if (made < 0) throw_os_error(-made, "socket for " + address.to_string());
  FileDescriptor fd(made);
  co_await connect_socket(loop, made, address);
  co_return open_connected(loop, std::move(fd), address, options.limit);
}

Coroutine<Connection> open_given(int sock, size_t limit, const char* missing) {
  check_limit(limit);
  if (sock < 0) throw ValueError(missing);
  co_return connection_of(
      internal::open_socket_stream(get_running_loop(), sock, limit));
}

}  // namespace

Coroutine<Connection> open_connection(std::string_view host, uint16_t port,
                                      ConnectionOptions options) {
  return connect_to_host(std::string(host), port, options);
}

Coroutine<Connection> open_connection(ConnectionOptions options) {
  return open_given(options.sock, options.limit,
                    "host and port was not specified and no sock specified");
}

Coroutine<Connection> open_unix_connection(std::string_view path,
                                           UnixConnectionOptions options) {
  return connect_to_path(std::string(path), options);
}

Coroutine<Connection> open_unix_connection(UnixConnectionOptions options) {
  return open_given(options.sock, options.limit,
                    "no path and sock were specified");
}

}  // namespace asyncio
