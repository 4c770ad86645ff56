// OwnedFd: a descriptor that is closed with its owner.
#ifndef ASYNCIO_SUBPROCESS_INTERNAL_OWNED_FD_H_
#define ASYNCIO_SUBPROCESS_INTERNAL_OWNED_FD_H_

#include <unistd.h>
#include <utility>

namespace asyncio::internal {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() { reset(); }

  // -1 where there is none.
  int get() const { return fd_; }
  // Gives it to the caller.
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SUBPROCESS_INTERNAL_OWNED_FD_H_
