#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"

namespace asyncio::internal {
namespace {

constexpr int kEventsPerPoll = 256;

class EpollPoller final : public Poller {
 public:
  EpollPoller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw_os_error(errno, "epoll_create1");
    try {
      wake_ = take_wake_fd();
    } catch (...) {
      close(epoll_);
      throw;
    }
    // Edge-triggered: each write is an event of its own, so that nobody needs to
    // read the counter.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  }

  ~EpollPoller() override {
    close(epoll_);
    give_wake_fd_back(wake_);
  }

  void set_interest(IoNode& node, int32_t interest) override {
    if (interest == node.interest) return;
    epoll_event event{};
    if ((interest & kIoRead) != 0) event.events |= EPOLLIN;
    if ((interest & kIoWrite) != 0) event.events |= EPOLLOUT;
    event.data.ptr = &node;
    if (interest == kIoNone) {
      // Fails where the descriptor was closed first: then it is gone already.
      epoll_ctl(epoll_, EPOLL_CTL_DEL, node.fd, &event);
      --watched_;
    } else {
      int op = node.interest == kIoNone ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
      int status = epoll_ctl(epoll_, op, node.fd, &event);
      if (status < 0 && op == EPOLL_CTL_MOD && errno == ENOENT) {
        // The descriptor was closed and its number given to another file.
        status = epoll_ctl(epoll_, EPOLL_CTL_ADD, node.fd, &event);
      }
      if (status < 0) {
        throw_os_error(errno, "epoll_ctl on descriptor " +
                                  std::to_string(node.fd));
      }
      if (node.interest == kIoNone) ++watched_;
    }
    node.interest = interest;
  }

  void poll(Duration timeout, ReadyQueue& ready) override {
    epoll_event events[kEventsPerPoll];
    const int count = wait(events, timeout);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == nullptr) continue;  // wake()
      IoNode& node = *static_cast<IoNode*>(events[i].data.ptr);
      // Errors and hang-ups are told to both sides, as the next call will say
      // which it was.
      int32_t result = 0;
      if ((events[i].events & ~EPOLLOUT) != 0) result |= kIoRead;
      if ((events[i].events & ~EPOLLIN) != 0) result |= kIoWrite;
      result &= node.interest;
      if (result == 0) continue;
      node.result |= result;
      if (!node.queued()) ready.push(node);
    }
  }

  void wake() noexcept override {
    const uint64_t one = 1;
    // Can fail only where the counter is full, and then the event is there.
    [[maybe_unused]] ssize_t n = write(wake_, &one, sizeof one);
  }

  int wake_fd() const override { return wake_; }

 private:
  int wait(epoll_event* events, Duration timeout) {
    const int64_t ns = std::max<int64_t>(timeout.count(), 0);
    if (!no_pwait2_) {
      timespec ts{static_cast<time_t>(ns / 1'000'000'000),
                  static_cast<long>(ns % 1'000'000'000)};
      const int n = epoll_pwait2(epoll_, events, kEventsPerPoll,
                                 timeout.is_infinite() ? nullptr : &ts, nullptr);
      if (n >= 0) return n;
      if (errno != ENOSYS) return checked(n);
      no_pwait2_ = true;
    }
    // Before Linux 5.11: to the millisecond, and not before the deadline.
    const int64_t ms = ns / 1'000'000 + (ns % 1'000'000 != 0);
    return checked(epoll_wait(
        epoll_, events, kEventsPerPoll,
        timeout.is_infinite() ? -1
                              : static_cast<int>(std::min<int64_t>(ms, INT_MAX))));
  }

  static int checked(int n) {
    if (n < 0 && errno != EINTR) throw_os_error(errno, "epoll_wait");
    return std::max(n, 0);
  }

  int epoll_;
  int wake_ = -1;
  bool no_pwait2_ = false;
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() {
  return std::make_unique<EpollPoller>();
}

}  // namespace asyncio::internal
