#include "asyncio/streams/sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/internal/fd_lines.h"
#include "asyncio/streams/internal/owned_bytes.h"
#include "asyncio/streams/internal/turn_line.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/threads.h"

namespace asyncio {

using internal::fd_line;
using internal::FdSide;
using internal::System;
using internal::Turn;

namespace {

// What may be received without an allocation of the size that was asked for.
constexpr size_t kOnStack = 64 * 1024;
// CPython's constants.SENDFILE_FALLBACK_READBUFFER_SIZE.
constexpr int64_t kFallbackBlock = 256 * 1024;
constexpr int64_t kSendfileBlock = int64_t{1} << 30;

System& running_system() {
  return internal::LoopAccess::system(get_running_loop());
}

void check_socket(int fd) {
  if (!get_running_loop().get_debug()) return;
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) {
    throw ValueError("the socket must be non-blocking");
  }
}

std::string on_descriptor(const char* call, int fd) {
  return call + (" on descriptor " + std::to_string(fd));
}

// What a call of the system gives, which is made again where it was
// interrupted. Empty where it would block; what else it fails with is thrown,
// said of what `name()` names.
template <class Call, class Name>
std::optional<size_t> attempt(Call call, Name name) {
  for (;;) {
    const ssize_t n = call();
    if (n >= 0) return static_cast<size_t>(n);
    if (n == -EINTR) continue;
    if (n == -EAGAIN || n == -EWOULDBLOCK) return std::nullopt;
    throw_os_error(static_cast<int>(-n), name());
  }
}

std::optional<size_t> try_recv(int fd, void* data, size_t size) {
  return attempt(
      [&] { return running_system().recv(fd, data, size, MSG_DONTWAIT); },
      [&] { return on_descriptor("recv", fd); });
}

// The same, of a message: its address goes to `from`.
std::optional<size_t> try_recvfrom(int fd, void* data, size_t size,
                                   SocketAddress& from) {
  sockaddr_storage storage;
  iovec part{data, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const std::optional<size_t> n = attempt(
      [&] {
        message.msg_name = &storage;
        message.msg_namelen = sizeof(storage);
        return running_system().recvmsg(fd, &message, MSG_DONTWAIT);
      },
      [&] { return on_descriptor("recvfrom", fd); });
  if (n) {
    from = SocketAddress::from_sockaddr(
        reinterpret_cast<const sockaddr*>(&storage), message.msg_namelen);
  }
  return n;
}

// Receives into memory of its own, and gives a string that is no larger than
// what came. `recv_into` is given the memory.
template <class Receive>
std::optional<std::string> receive_string(size_t size, Receive recv_into) {
  std::array<char, kOnStack> on_stack;
  std::unique_ptr<char[]> on_heap;
  char* data = on_stack.data();
  if (size > kOnStack) {
    on_heap = std::make_unique_for_overwrite<char[]>(size);
    data = on_heap.get();
  }
  const std::optional<size_t> n = recv_into(data);
  if (!n) return std::nullopt;
  return std::string(data, *n);
}

std::optional<std::string> try_recv_string(int fd, size_t size) {
  return receive_string(size,
                        [&](char* data) { return try_recv(fd, data, size); });
}

std::optional<Datagram> try_recvfrom_string(int fd, size_t size) {
  SocketAddress from;
  std::optional<std::string> data = receive_string(
      size, [&](char* data) { return try_recvfrom(fd, data, size, from); });
  if (!data) return std::nullopt;
  return Datagram(*std::move(data), from);
}

std::optional<size_t> try_send(int fd, std::string_view data) {
  return attempt(
      [&] {
        return running_system().send(fd, data.data(), data.size(),
                                     MSG_DONTWAIT);
      },
      [&] { return on_descriptor("send", fd); });
}

std::optional<size_t> try_sendto(int fd, std::string_view data,
                                 const SocketAddress& address) {
  iovec part{const_cast<char*>(data.data()), data.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(address.data());
  message.msg_namelen = address.size();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return attempt(
      [&] { return running_system().sendmsg(fd, &message, MSG_DONTWAIT); },
      [&] { return "sendto " + address.to_string(); });
}

std::optional<Accepted> try_accept(int fd) {
  sockaddr_storage storage;
  socklen_t length = 0;
  const std::optional<size_t> connection = attempt(
      [&] {
        length = sizeof(storage);
        return running_system().accept(
            fd, reinterpret_cast<sockaddr*>(&storage), &length);
      },
      [&] { return on_descriptor("accept", fd); });
  if (!connection) return std::nullopt;
  return Accepted(FileDescriptor(static_cast<int>(*connection)),
                  SocketAddress::from_sockaddr(
                      reinterpret_cast<const sockaddr*>(&storage), length));
}

int socket_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
    throw_os_error(errno, on_descriptor("getsockopt", fd));
  }
  return value;
}

std::string connect_to(const SocketAddress& address) {
  return "connect to " + address.to_string();
}

// Whether it is connected already.
bool begin_connect(int fd, const SocketAddress& address) {
  const int error =
      -running_system().connect(fd, address.data(), address.size());
  if (error <= 0) return true;
  // Interrupted, it goes on in the background. A Unix socket that would block
  // (EAGAIN) does not: its peer's queue is full, and nothing tells when it is
  // not.
  if (error == EINPROGRESS || error == EINTR) return false;
  throw_os_error(error, connect_to(address));
}

void check_sendfile(int fd, const SendfileOptions& options) {
  if (socket_option(fd, SO_TYPE) != SOCK_STREAM) {
    throw ValueError("only SOCK_STREAM type sockets are supported");
  }
  internal::check_sendfile_options(options);
}

// How far a file is sent; leaves its position there.
struct SendfileProgress {
  const int file;
  const SendfileOptions options;
  int64_t sent = 0;

  SendfileProgress(int file, const SendfileOptions& options)
      : file(file), options(options) {}
  SendfileProgress(const SendfileProgress&) = delete;
  SendfileProgress& operator=(const SendfileProgress&) = delete;
  ~SendfileProgress() {
    // Fails where the file has no position: a pipe.
    if (sent > 0) static_cast<void>(lseek(file, position(), SEEK_SET));
  }

  int64_t position() const { return options.offset + sent; }
  // Of what is left, a block's worth.
  int64_t next(int64_t block) const {
    return options.count ? std::min(block, *options.count - sent) : block;
  }
};

// The bytes that went; empty where it would block.
std::optional<size_t> try_sendfile(int fd, const SendfileProgress& progress) {
  off_t position = progress.position();
  const auto size = static_cast<size_t>(progress.next(kSendfileBlock));
  return attempt(
      [&] {
        const ssize_t n =
            running_system().sendfile(fd, progress.file, &position, size);
        const bool unable = n == -EINVAL || n == -ENOSYS || n == -EOPNOTSUPP;
        if (unable && progress.sent == 0) {
          throw SendfileNotAvailableError("os.sendfile call failed");
        }
        return n;
      },
      [&] { return on_descriptor("sendfile", fd); });
}

Coroutine<int64_t> sendfile_native(int fd, int file, SendfileOptions options) {
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw SendfileNotAvailableError("not a regular file");
  }
  SendfileProgress progress(file, options);
  Turn turn;
  while (progress.next(kSendfileBlock) > 0) {
    const std::optional<size_t> n = try_sendfile(fd, progress);
    if (n && *n == 0) break;
    if (n) progress.sent += static_cast<int64_t>(*n);
    // Also where it did not block: other tasks get their turn.
    if (progress.next(kSendfileBlock) > 0)
      co_await turn.in(fd_line(fd, FdSide::kWrite));
  }
  co_return progress.sent;
}

// On a thread; empty at the end of the file. `position` counts for files that
// have one.
std::string read_block(int file, int64_t position, int64_t size) {
  std::string block(static_cast<size_t>(size), '\0');
  ssize_t n = 0;
  do {
    n = pread(file, block.data(), block.size(), position);
    if (n < 0 && errno == ESPIPE) n = read(file, block.data(), block.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) throw_os_error(errno, on_descriptor("read", file));
  block.resize(static_cast<size_t>(n));
  return block;
}

bool is_pipe(int file) {
  struct stat status;
  return fstat(file, &status) == 0 && S_ISFIFO(status.st_mode);
}

// No byte leaves the pipe that does not go into the socket.
Coroutine<int64_t> sendfile_from_pipe(int fd, int pipe,
                                      SendfileOptions options) {
  SendfileProgress progress(pipe, options);
  while (progress.next(kSendfileBlock) > 0) {
    const auto size = static_cast<size_t>(progress.next(kSendfileBlock));
    const std::optional<size_t> n =
        attempt([&] { return running_system().splice(fd, pipe, size); },
                [&] { return on_descriptor("splice", fd); });
    if (n && *n == 0) break;
    if (n) progress.sent += static_cast<int64_t>(*n);
    if (progress.next(kSendfileBlock) == 0) break;
    // Which of the two would block the kernel does not tell.
    {
      Turn turn;
      co_await turn.in(fd_line(pipe, FdSide::kRead));
    }
    {
      Turn turn;
      co_await turn.in(fd_line(fd, FdSide::kWrite));
    }
  }
  co_return progress.sent;
}

Coroutine<int64_t> sendfile_fallback(int fd, int file,
                                     SendfileOptions options) {
  const bool has_position = lseek(file, 0, SEEK_CUR) >= 0;
  if (!has_position && options.offset != 0) {
    throw_os_error(ESPIPE, on_descriptor("lseek", file));
  }
  if (is_pipe(file)) co_return co_await sendfile_from_pipe(fd, file, options);
  // The thread's own, which may be at work still when the caller closes his.
  const auto copy =
      std::make_shared<FileDescriptor>(fcntl(file, F_DUPFD_CLOEXEC, 0));
  if (!*copy) throw_os_error(errno, on_descriptor("dup", file));
  SendfileProgress progress(file, options);
  while (progress.next(kFallbackBlock) > 0) {
    const int64_t position = has_position ? progress.position() : 0;
    auto reading = run_in_executor(
        nullptr, [copy, position, size = progress.next(kFallbackBlock)] {
          return read_block(copy->get(), position, size);
        });
    const std::string block = co_await std::move(reading);
    if (block.empty()) break;
    std::string_view rest = block;
    Turn turn;
    while (!rest.empty()) {
      const std::optional<size_t> n = try_send(fd, rest);
      if (n) {
        progress.sent += static_cast<int64_t>(*n);
        rest.remove_prefix(*n);
      }
      if (!rest.empty()) co_await turn.in(fd_line(fd, FdSide::kWrite));
    }
  }
  co_return progress.sent;
}

Coroutine<> connect_to_host(int fd, std::string host, uint16_t port) {
  std::vector<AddrInfo> infos =
      co_await getaddrinfo(host, port,
                           {.family = socket_option(fd, SO_DOMAIN),
                            .type = socket_option(fd, SO_TYPE),
                            .proto = socket_option(fd, SO_PROTOCOL)});
  if (infos.empty()) throw OSError("getaddrinfo() returned empty list");
  co_await sock_connect(fd, infos.front().address);
}

}  // namespace

void internal::check_sendfile_options(const SendfileOptions& options) {
  if (options.count && *options.count <= 0) {
    throw ValueError("count must be a positive integer (got " +
                     std::to_string(*options.count) + ")");
  }
  if (options.offset < 0) {
    throw ValueError("offset must be a non-negative integer (got " +
                     std::to_string(options.offset) + ")");
  }
}

Coroutine<std::string> sock_recv(int fd, size_t n) {
  check_socket(fd);
  Turn turn;
  for (;;) {
    std::optional<std::string> data = try_recv_string(fd, n);
    if (data) co_return *std::move(data);
    co_await turn.in(fd_line(fd, FdSide::kRead));
  }
}

Coroutine<size_t> sock_recv_into(int fd, std::span<std::byte> buffer) {
  check_socket(fd);
  Turn turn;
  for (;;) {
    const std::optional<size_t> n = try_recv(fd, buffer.data(), buffer.size());
    if (n) co_return *n;
    co_await turn.in(fd_line(fd, FdSide::kRead));
  }
}

Coroutine<size_t> sock_recv_into(int fd, std::span<char> buffer) {
  return sock_recv_into(fd, std::as_writable_bytes(buffer));
}

Coroutine<Datagram> sock_recvfrom(int fd, size_t n) {
  check_socket(fd);
  Turn turn;
  for (;;) {
    std::optional<Datagram> datagram = try_recvfrom_string(fd, n);
    if (datagram) co_return *std::move(datagram);
    co_await turn.in(fd_line(fd, FdSide::kRead));
  }
}

Coroutine<DatagramInto> sock_recvfrom_into(int fd,
                                           std::span<std::byte> buffer) {
  check_socket(fd);
  SocketAddress from;
  Turn turn;
  for (;;) {
    const std::optional<size_t> n =
        try_recvfrom(fd, buffer.data(), buffer.size(), from);
    if (n) co_return DatagramInto(*n, from);
    co_await turn.in(fd_line(fd, FdSide::kRead));
  }
}

Coroutine<DatagramInto> sock_recvfrom_into(int fd, std::span<char> buffer) {
  return sock_recvfrom_into(fd, std::as_writable_bytes(buffer));
}

Coroutine<> sock_sendall(int fd, internal::OwnedBytes data) {
  check_socket(fd);
  std::string_view rest = data.view();
  Turn turn;
  for (;;) {
    const std::optional<size_t> n = try_send(fd, rest);
    if (n) {
      rest.remove_prefix(*n);
      if (rest.empty()) co_return;
    }
    co_await turn.in(fd_line(fd, FdSide::kWrite));
  }
}

Coroutine<size_t> sock_sendto(int fd, internal::OwnedBytes data,
                              SocketAddress address) {
  check_socket(fd);
  Turn turn;
  for (;;) {
    const std::optional<size_t> n = try_sendto(fd, data.view(), address);
    if (n) co_return *n;
    co_await turn.in(fd_line(fd, FdSide::kWrite));
  }
}

Coroutine<Accepted> sock_accept(int fd) {
  check_socket(fd);
  Turn turn;
  for (;;) {
    std::optional<Accepted> accepted = try_accept(fd);
    if (accepted) co_return *std::move(accepted);
    co_await turn.in(fd_line(fd, FdSide::kRead));
  }
}

Coroutine<> sock_connect(int fd, SocketAddress address) {
  check_socket(fd);
  const bool connected = begin_connect(fd, address);
  if (connected) co_return;
  Turn turn;
  co_await turn.in(fd_line(fd, FdSide::kWrite));
  const int error = socket_option(fd, SO_ERROR);
  if (error != 0) throw_os_error(error, connect_to(address));
}

Coroutine<> sock_connect(int fd, std::string_view host, uint16_t port) {
  return connect_to_host(fd, std::string(host), port);
}

Coroutine<int64_t> sock_sendfile(int fd, int file, SendfileOptions options) {
  check_socket(fd);
  check_sendfile(fd, options);
  try {
    co_return co_await sendfile_native(fd, file, options);
  } catch (const SendfileNotAvailableError&) {
    if (!options.fallback) throw;
  }
  co_return co_await sendfile_fallback(fd, file, options);
}

}  // namespace asyncio
