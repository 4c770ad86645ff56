#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio::internal {
namespace {

constexpr int kEventsPerPoll = 256;

class EpollPoller final : public Poller {
 public:
  explicit EpollPoller(const Wakeup& wakeup)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw_os_error(errno, "epoll_create1");
    // Edge-triggered: each write is an event of its own, so that nobody needs
    // to read the counter.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = kWakeup;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup.fd(), &event) != 0) {
      const int error = errno;
      close(epoll_);
      throw_os_error(error, "epoll_ctl");
    }
  }

  ~EpollPoller() override { close(epoll_); }

  void set_interest(IoNode& node, int32_t interest) override {
    if (node.interest == kIoNone) {
      if (interest == kIoNone) return;
      node.slot = take_slot(node);
      try {
        control(node, interest, EPOLL_CTL_ADD);
      } catch (...) {
        give_slot_back(node.slot);
        throw;
      }
      ++watched_;
    } else if (interest == kIoNone) {
      epoll_event event{};
      // Fails where the descriptor was closed first: then it is gone already.
      epoll_ctl(epoll_, EPOLL_CTL_DEL, node.fd, &event);
      give_slot_back(node.slot);
      --watched_;
    } else {
      // The same interest once more is told to the kernel, too: the number may
      // stand for another file by now.
      const bool less =
          interest != node.interest && (interest & node.interest) == interest;
      try {
        control(node, interest, EPOLL_CTL_MOD);
      } catch (const OSError&) {
        if (!less) throw;
      }
    }
    node.interest = interest;
  }

  void poll(Duration timeout, ReadyQueue& ready) override {
    epoll_event events[kEventsPerPoll];
    const int count = wait(events, timeout);
    for (int i = 0; i < count; ++i) {
      const uint64_t key = events[i].data.u64;
      const Slot& slot = slots_[static_cast<uint32_t>(key)];
      // The wakeup, or a file that was closed under the number it was watched by
      // but lives on under another: the kernel cannot be told to forget it.
      if (slot.turn != key >> 32) [[unlikely]] continue;
      IoNode& node = *slot.node;
      const int32_t result = told(events[i].events) & node.interest;
      if (result == 0) continue;
      node.result |= result;
      if (!node.queued()) ready.push(node);
    }
  }

 private:
  // Errors and hang-ups are told to both sides, as the next call will say which it
  // was.
  static int32_t told(uint32_t events) {
    if (events == EPOLLIN) [[likely]] return kIoRead;
    int32_t result = 0;
    if ((events & ~EPOLLOUT) != 0) result |= kIoRead;
    if ((events & ~EPOLLIN) != 0) result |= kIoWrite;
    return result;
  }

  // What the kernel is given in the place of a pointer: a late event finds the
  // slot on its next turn, and no memory that is gone.
  struct Slot {
    IoNode* node = nullptr;
    uint32_t turn = 0;
    uint32_t next_free = 0;
  };
  // The first slot on a turn that it never has, as no node is given it.
  static constexpr uint64_t kWakeup = uint64_t{1} << 32;
  static constexpr uint32_t kNoSlot = ~uint32_t{0};

  uint32_t take_slot(IoNode& node) {
    uint32_t slot = free_slot_;
    if (slot == kNoSlot) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      free_slot_ = slots_[slot].next_free;
    }
    slots_[slot].node = &node;
    return slot;
  }

  void give_slot_back(uint32_t slot) noexcept {
    slots_[slot].node = nullptr;
    ++slots_[slot].turn;
    slots_[slot].next_free = free_slot_;
    free_slot_ = slot;
  }

  void control(const IoNode& node, int32_t interest, int op) {
    epoll_event event{};
    if ((interest & kIoRead) != 0) event.events |= EPOLLIN;
    if ((interest & kIoWrite) != 0) event.events |= EPOLLOUT;
    event.data.u64 =
        uint64_t{slots_[node.slot].turn} << 32 | uint64_t{node.slot};
    int status = epoll_ctl(epoll_, op, node.fd, &event);
    // The number was given to another file since, or back to one that is still
    // watched.
    if (status < 0 && op == EPOLL_CTL_MOD && errno == ENOENT) {
      status = epoll_ctl(epoll_, EPOLL_CTL_ADD, node.fd, &event);
    } else if (status < 0 && op == EPOLL_CTL_ADD && errno == EEXIST) {
      status = epoll_ctl(epoll_, EPOLL_CTL_MOD, node.fd, &event);
    }
    if (status < 0) {
      throw_os_error(errno,
                     "epoll_ctl on descriptor " + std::to_string(node.fd));
    }
  }

  int wait(epoll_event* events, Duration timeout) {
    const int64_t ns = std::max<int64_t>(timeout.count(), 0);
    if (!no_pwait2_) {
      timespec ts{static_cast<time_t>(ns / 1'000'000'000),
                  static_cast<long>(ns % 1'000'000'000)};
      const int n =
          epoll_pwait2(epoll_, events, kEventsPerPoll,
                       timeout.is_infinite() ? nullptr : &ts, nullptr);
      if (n >= 0) return n;
      if (errno != ENOSYS) return checked(n);
      no_pwait2_ = true;
    }
    // Before Linux 5.11: to the millisecond, and not before the deadline.
    const int64_t ms = ns / 1'000'000 + (ns % 1'000'000 != 0);
    return checked(
        epoll_wait(epoll_, events, kEventsPerPoll,
                   timeout.is_infinite()
                       ? -1
                       : static_cast<int>(std::min<int64_t>(ms, INT_MAX))));
  }

  static int checked(int n) {
    if (n < 0 && errno != EINTR) throw_os_error(errno, "epoll_wait");
    return std::max(n, 0);
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1);
  int epoll_;
  uint32_t free_slot_ = kNoSlot;
  bool no_pwait2_ = false;
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller(const Wakeup& wakeup) {
  return std::make_unique<EpollPoller>(wakeup);
}

}  // namespace asyncio::internal
