#include "asyncio/streams/sendfile.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/internal/fd_lines.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/internal/stream_operations.h"
#include "asyncio/streams/internal/turn_line.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/threads.h"

namespace asyncio {

using internal::FdTransport;
using internal::Ref;
using internal::Stream;

namespace {

// CPython's, of streams.
constexpr int64_t kBlock = 16 * 1024;

FileDescriptor duplicate(int fd) {
  FileDescriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) {
    throw_os_error(errno, "dup of descriptor " + std::to_string(fd));
  }
  return copy;
}

// What is written meanwhile waits.
class Hold {
 public:
  explicit Hold(Ref<FdTransport> transport) : transport_(std::move(transport)) {
    if (transport_->held()) {
      throw RuntimeError("another sendfile() is under way");
    }
    transport_->begin_hold();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { transport_->end_hold(); }

 private:
  const Ref<FdTransport> transport_;
};

// Of a transport that is ending: throws what the connection was lost by.
Coroutine<> throw_loss(Ref<Stream> stream) {
  co_await internal::StreamRequest<internal::WaitClosedAwaiter>(stream.get());
  throw ConnectionResetError("Connection lost");
}

// By a descriptor of its own, which can be waited for beside the transport's.
Coroutine<int64_t> send_over_socket(Ref<Stream> stream,
                                    Ref<FdTransport> transport, int file,
                                    SendfileOptions options) {
  const FileDescriptor socket = duplicate(transport->fd());
  const Hold hold(transport);
  {
    internal::Turn turn;
    while (transport->ahead_of_hold() > 0) {
      co_await turn.in(
          internal::fd_line(socket.get(), internal::FdSide::kWrite));
    }
  }
  if (transport->ending()) co_await throw_loss(stream);
  Result<int64_t> sent =
      co_await as_result(sock_sendfile(socket.get(), file, options));
  // The transport has shut the socket down.
  if (transport->ending() && sent.get_if<BrokenPipeError>() != nullptr) {
    co_await throw_loss(stream);
  }
  co_return std::move(sent).value();
}

std::string read_block(int file, int64_t size) {
  std::string block(static_cast<size_t>(size), '\0');
  ssize_t n = 0;
  do {
    n = read(file, block.data(), block.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    throw_os_error(errno, "read from descriptor " + std::to_string(file));
  }
  block.resize(static_cast<size_t>(n));
  return block;
}

// By the transport, block by block.
Coroutine<int64_t> send_blocks(Ref<Stream> stream, int file,
                               SendfileOptions options) {
  const auto copy = std::make_shared<FileDescriptor>(duplicate(file));
  const bool has_position = lseek(file, options.offset, SEEK_SET) >= 0;
  if (!has_position && options.offset != 0) {
    throw_os_error(errno, "lseek on descriptor " + std::to_string(file));
  }
  struct stat status;
  const bool pipe = fstat(file, &status) == 0 && S_ISFIFO(status.st_mode);
  int64_t sent = 0;
  // Leaves the file's position behind what was sent.
  struct Position {
    int file;
    const int64_t& offset;
    const int64_t& sent;
    Position(int file, const int64_t& offset, const int64_t& sent)
        : file(file), offset(offset), sent(sent) {}
    ~Position() { static_cast<void>(lseek(file, offset + sent, SEEK_SET)); }
  } position(file, options.offset, sent);
  for (;;) {
    const int64_t size =
        options.count ? std::min(kBlock, *options.count - sent) : kBlock;
    if (size == 0) co_return sent;
    co_await internal::StreamRequest<internal::DrainAwaiter>(stream.get());
    std::string block;
    if (pipe) {
      // What is read here is written at once: a cancellation loses none of it.
      internal::Turn turn;
      co_await turn.in(internal::fd_line(file, internal::FdSide::kRead));
      block = read_block(file, size);
    } else {
      auto reading = run_in_executor(
          nullptr, [copy, size] { return read_block(copy->get(), size); });
      block = co_await std::move(reading);
    }
    if (block.empty()) co_return sent;
    stream->transport()->write(block);
    sent += static_cast<int64_t>(block.size());
  }
}

Coroutine<int64_t> run_sendfile(Ref<Stream> stream, int file,
                                SendfileOptions options) {
  internal::check_sendfile_options(options);
  Transport& transport = *stream->transport();
  if (transport.is_closing()) throw RuntimeError("Transport is closing");
  auto* fd_transport = dynamic_cast<FdTransport*>(&transport);
  if (fd_transport != nullptr &&
      fd_transport->kind() == FdTransport::Kind::kSocket) {
    if (fd_transport->write_ended()) {
      throw RuntimeError("Cannot call write() after write_eof()");
    }
    co_return co_await send_over_socket(
        std::move(stream), Ref<FdTransport>(fd_transport), file, options);
  }
  if (!options.fallback) {
    throw RuntimeError(
        "fallback is disabled and native sendfile is not supported for this "
        "transport");
  }
  co_return co_await send_blocks(std::move(stream), file, options);
}

}  // namespace

Coroutine<int64_t> sendfile(const StreamWriter& writer, int file,
                            SendfileOptions options) {
  return run_sendfile(writer.stream(), file, options);
}

}  // namespace asyncio
