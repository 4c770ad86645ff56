#include "asyncio/loop/internal/wakeup.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {
namespace {

struct Spares {
  std::mutex mutex;
  std::vector<Wakeup*> wakeups;
  size_t made = 0;  // spare or in use
};

// Never destroyed: loops may end after the program's statics.
Spares& spares() {
  static Spares* const instance = new Spares;
  return *instance;
}

}  // namespace

Wakeup::Lease Wakeup::take() {
  Spares& s = spares();
  std::lock_guard lock(s.mutex);
  if (!s.wakeups.empty()) {
    Wakeup* wakeup = s.wakeups.back();
    s.wakeups.pop_back();
    return Lease(wakeup);
  }
  // Room for all there are: giving one back needs no memory.
  s.wakeups.reserve(s.made + 1);
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw_os_error(errno, "eventfd");
  ++s.made;
  return Lease(new Wakeup(fd));
}

void Wakeup::GiveBack::operator()(Wakeup* wakeup) const noexcept {
  wakeup->end_sleep();
  Spares& s = spares();
  std::lock_guard lock(s.mutex);
  s.wakeups.push_back(wakeup);
}

void Wakeup::notify() noexcept {
  call();
  const uint64_t one = 1;
  // Can fail only where the counter is full, and then the event is there.
  [[maybe_unused]] const ssize_t n = write(fd_, &one, sizeof one);
}

}  // namespace asyncio::internal
