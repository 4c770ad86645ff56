// FileDescriptor: owns a descriptor, and closes it.
//
//   FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
//   if (!listener) throw_os_error(errno, "socket");
//   use(listener.get());
//   int fd = listener.release();   // the caller's from here on
//
// Cost: an int.
#ifndef ASYNCIO_STREAMS_FILE_DESCRIPTOR_H_
#define ASYNCIO_STREAMS_FILE_DESCRIPTOR_H_

#include <unistd.h>
#include <utility>

namespace asyncio {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  // What a failed call returned, -1, is none.
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~FileDescriptor() { reset(); }

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Gives it up, open.
  int release() { return std::exchange(fd_, -1); }
  // Closes it, and owns `fd` instead.
  void reset(int fd = -1) {
    const int before = std::exchange(fd_, fd);
    if (before >= 0) ::close(before);
  }

 private:
  int fd_ = -1;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_FILE_DESCRIPTOR_H_
