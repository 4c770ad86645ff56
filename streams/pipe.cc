#include "asyncio/streams/pipe.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {
namespace {

using Kind = internal::FdTransport::Kind;

void check_pipe(int fd, const char* refusal) {
  struct stat status;
  if (fstat(fd, &status) != 0) {
    throw_os_error(errno, "fstat on descriptor " + std::to_string(fd));
  }
  if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) &&
      !S_ISCHR(status.st_mode)) {
    throw ValueError(refusal);
  }
}

StreamReader open_reader(int fd, const PipeOptions& options) {
  check_pipe(fd, "Pipe transport is for pipes/sockets only.");
  return StreamReader(internal::open_stream(get_running_loop(), fd,
                                            Kind::kReadPipe, options.limit));
}

StreamWriter open_writer(int fd) {
  check_pipe(fd,
             "Pipe transport is only for pipes, sockets and character "
             "devices");
  return StreamWriter(internal::open_stream(get_running_loop(), fd,
                                            Kind::kWritePipe, kDefaultLimit));
}

// The file behind one of this process's standard descriptors.
FileDescriptor open_again(int fd, int mode) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  FileDescriptor again(
      open(path.c_str(), mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  // A socket, or a file that this user might not open.
  if (!again) again.reset(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!again) {
    throw_os_error(errno, "dup of descriptor " + std::to_string(fd));
  }
  return again;
}

StreamWriter open_standard_writer(int fd) {
  check_pipe(fd,
             "Pipe transport is only for pipes, sockets and character "
             "devices");
  FileDescriptor again = open_again(fd, O_WRONLY);
  StreamWriter writer = open_writer(again.get());
  again.release();
  return writer;
}

}  // namespace

Coroutine<StreamReader> connect_read_pipe(int fd, PipeOptions options) {
  co_return open_reader(fd, options);
}

Coroutine<StreamWriter> connect_write_pipe(int fd) {
  co_return open_writer(fd);
}

Coroutine<StreamReader> standard_input(PipeOptions options) {
  check_pipe(STDIN_FILENO, "Pipe transport is for pipes/sockets only.");
  FileDescriptor again = open_again(STDIN_FILENO, O_RDONLY);
  StreamReader reader = open_reader(again.get(), options);
  again.release();
  co_return reader;
}

Coroutine<StreamWriter> standard_output() {
  co_return open_standard_writer(STDOUT_FILENO);
}

Coroutine<StreamWriter> standard_error() {
  co_return open_standard_writer(STDERR_FILENO);
}

}  // namespace asyncio
