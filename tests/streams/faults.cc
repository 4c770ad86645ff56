#include "asyncio/tests/streams/faults.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/loop/internal/wakeup.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {

using internal::System;

// --- FaultySystem.

void FaultySystem::reset() {
  calls_.clear();
  faults_ = 0;
}

uint64_t FaultySystem::calls(const std::string& name) const {
  const auto it = calls_.find(name);
  return it == calls_.end() ? 0 : it->second;
}

Fault FaultySystem::ask(const char* call) {
  const uint64_t number = calls_[call]++;
  if (!plan) return {};
  const Fault fault = plan(call, number);
  if (fault.error != 0 || fault.most != SIZE_MAX) ++faults_;
  return fault;
}

ssize_t FaultySystem::read(int fd, void* data, size_t size) {
  const Fault fault = ask("read");
  if (fault.error != 0) return -fault.error;
  return System::read(fd, data, std::min(size, fault.most));
}

ssize_t FaultySystem::write(int fd, const void* data, size_t size) {
  const Fault fault = ask("write");
  if (fault.error != 0) return -fault.error;
  return System::write(fd, data, std::min(size, fault.most));
}

ssize_t FaultySystem::recv(int fd, void* data, size_t size, int flags) {
  const Fault fault = ask("recv");
  if (fault.error != 0) return -fault.error;
  return System::recv(fd, data, std::min(size, fault.most), flags);
}

ssize_t FaultySystem::send(int fd, const void* data, size_t size, int flags) {
  const Fault fault = ask("send");
  if (fault.error != 0) return -fault.error;
  return System::send(fd, data, std::min(size, fault.most), flags);
}

namespace {

// The first `most` bytes of what the parts hold.
std::vector<iovec> shortened(const iovec* parts, size_t count, size_t most) {
  std::vector<iovec> result;
  for (size_t i = 0; i < count && most > 0; ++i) {
    result.push_back(parts[i]);
    result.back().iov_len = std::min(parts[i].iov_len, most);
    most -= result.back().iov_len;
  }
  return result;
}

unsigned at_most(unsigned count, const Fault& fault) {
  return static_cast<unsigned>(std::min<size_t>(count, fault.most));
}

}  // namespace

ssize_t FaultySystem::writev(int fd, const iovec* parts, int count) {
  const Fault fault = ask("writev");
  if (fault.error != 0) return -fault.error;
  const std::vector<iovec> rest =
      shortened(parts, static_cast<size_t>(count), fault.most);
  return System::writev(fd, rest.data(), static_cast<int>(rest.size()));
}

ssize_t FaultySystem::sendmsg(int fd, const msghdr* message, int flags) {
  const Fault fault = ask("sendmsg");
  if (fault.error != 0) return -fault.error;
  std::vector<iovec> rest =
      shortened(message->msg_iov, message->msg_iovlen, fault.most);
  msghdr less = *message;
  less.msg_iov = rest.data();
  less.msg_iovlen = rest.size();
  return System::sendmsg(fd, &less, flags);
}

ssize_t FaultySystem::recvmsg(int fd, msghdr* message, int flags) {
  const Fault fault = ask("recvmsg");
  if (fault.error != 0) return -fault.error;
  return System::recvmsg(fd, message, flags);
}

int FaultySystem::recvmmsg(int fd, mmsghdr* messages, unsigned count,
                           int flags) {
  const Fault fault = ask("recvmmsg");
  if (fault.error != 0) return -fault.error;
  return System::recvmmsg(fd, messages, at_most(count, fault), flags);
}

int FaultySystem::sendmmsg(int fd, mmsghdr* messages, unsigned count,
                           int flags) {
  const Fault fault = ask("sendmmsg");
  if (fault.error != 0) return -fault.error;
  return System::sendmmsg(fd, messages, at_most(count, fault), flags);
}

ssize_t FaultySystem::sendfile(int to, int from, off_t* offset, size_t count) {
  const Fault fault = ask("sendfile");
  if (fault.error != 0) return -fault.error;
  return System::sendfile(to, from, offset, std::min(count, fault.most));
}

ssize_t FaultySystem::splice(int to, int from, size_t count) {
  const Fault fault = ask("splice");
  if (fault.error != 0) return -fault.error;
  return System::splice(to, from, std::min(count, fault.most));
}

int FaultySystem::accept(int fd, sockaddr* address, socklen_t* size) {
  const Fault fault = ask("accept");
  if (fault.error != 0) return -fault.error;
  return System::accept(fd, address, size);
}

int FaultySystem::connect(int fd, const sockaddr* address, socklen_t size) {
  const Fault fault = ask("connect");
  if (fault.error != 0) {
    if (fault.made) System::connect(fd, address, size);
    return -fault.error;
  }
  return System::connect(fd, address, size);
}

int FaultySystem::socket(int family, int type, int protocol) {
  const Fault fault = ask("socket");
  if (fault.error != 0) return -fault.error;
  return System::socket(family, type, protocol);
}

FaultPlan seeded_plan(uint32_t seed, unsigned rarity) {
  auto random = std::make_shared<std::mt19937>(seed);
  return [random, rarity](std::string_view call, uint64_t) -> Fault {
    const bool moves_bytes = call == "read" || call == "write" ||
                             call == "writev" || call == "recv" ||
                             call == "send" || call == "sendmsg" ||
                             call == "sendfile" || call == "splice";
    if (!moves_bytes || (*random)() % rarity != 0) return {};
    switch ((*random)() % 4) {
      case 0:
        return {.error = EAGAIN};
      case 1:
        return {.error = EINTR};
      case 2:
        return {.most = 1};
      default:
        return {.most = 1 + (*random)() % 100};
    }
  };
}

FaultPlan seeded_datagram_plan(uint32_t seed, unsigned rarity) {
  auto random = std::make_shared<std::mt19937>(seed);
  return [random, rarity](std::string_view call, uint64_t) -> Fault {
    const bool batch = call == "recvmmsg" || call == "sendmmsg";
    const bool one = call == "recvmsg" || call == "sendmsg";
    if ((!batch && !one) || (*random)() % rarity != 0) return {};
    switch ((*random)() % (batch ? 3 : 2)) {
      case 0:
        return {.error = EAGAIN};
      case 1:
        return {.error = EINTR};
      default:
        return {.most = 1 + (*random)() % 3};
    }
  };
}

// --- FaultyPoller.

namespace {

using internal::IoNode;
using internal::Poller;
using internal::ReadyQueue;

class FaultyPoller final : public Poller {
 public:
  FaultyPoller(std::unique_ptr<Poller> poller, PollerFaults faults)
      : poller_(std::move(poller)),
        random_(faults.seed),
        rarity_(faults.rarity) {}

  void set_interest(IoNode& node, int32_t interest) override {
    poller_->set_interest(node, interest);
    watched_ = poller_->watched();
    std::erase(nodes_, &node);
    if (interest != internal::kIoNone) nodes_.push_back(&node);
  }

  void poll(Duration timeout, ReadyQueue& ready) override {
    ReadyQueue told;
    poller_->poll(timeout, told);
    std::vector<IoNode*> events;
    while (!told.empty()) {
      IoNode& node = static_cast<IoNode&>(told.pop());
      // Level-triggered: what is kept back comes again.
      if (spoil()) {
        node.result = 0;
      } else {
        events.push_back(&node);
      }
    }
    for (IoNode* node : nodes_) {
      if (node->result == 0 && spoil()) {
        node->result = node->interest;
        events.push_back(node);
      }
    }
    if (rarity_ != 0) std::shuffle(events.begin(), events.end(), random_);
    for (IoNode* node : events) {
      if (!node->queued()) ready.push(*node);
    }
  }

 private:
  bool spoil() { return rarity_ != 0 && random_() % rarity_ == 0; }

  std::unique_ptr<Poller> poller_;
  std::mt19937 random_;
  const unsigned rarity_;
  std::vector<IoNode*> nodes_;
};

}  // namespace

std::unique_ptr<Poller> make_faulty_poller(const internal::Wakeup& wakeup,
                                           PollerFaults faults) {
  return std::make_unique<FaultyPoller>(internal::make_epoll_poller(wakeup),
                                        faults);
}

std::unique_ptr<EventLoop> new_faulty_loop(VirtualClock& clock,
                                           FaultySystem& system,
                                           PollerFaults faults) {
  return internal::LoopAccess::new_loop(
      {.clock = &clock},
      {.system = &system, .make_poller = [faults](const internal::Wakeup& w) {
         return make_faulty_poller(w, faults);
       }});
}

std::vector<ExceptionContext> run_with_faults(
    FaultySystem& system, PollerFaults faults,
    const std::function<Coroutine<>()>& body) {
  VirtualClock clock;
  std::vector<ExceptionContext> reports;
  Runner runner(new_faulty_loop(clock, system, faults));
  runner.get_loop().set_exception_handler(
      [&reports](EventLoop&, const ExceptionContext& report) {
        reports.push_back(report);
      });
  try {
    runner.run(body());
    runner.close();
  } catch (...) {
    const std::exception_ptr e = std::current_exception();
    ADD_FAILURE() << "the body threw " << exception_name(e) << ": "
                  << exception_message(e);
  }
  return reports;
}

uint64_t run_with_seeds(const SeededPlan& plan,
                        const std::function<Coroutine<>()>& body) {
  uint64_t faults = 0;
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    FaultySystem system;
    system.plan = plan(seed);
    run_with_faults(system, {.seed = seed, .rarity = 4}, body);
    faults += system.faults();
  }
  return faults;
}

void cancel_with_seeds(const SeededPlan& plan,
                       const std::function<Coroutine<>(CancelScene&)>& scene) {
  int rounds = 0;
  for (uint32_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    FaultySystem system;
    rounds += cancel_everywhere(scene, [&](VirtualClock& clock) {
      system.reset();
      system.plan = plan(seed);
      return new_faulty_loop(clock, system, {.seed = seed, .rarity = 4});
    });
  }
  EXPECT_GT(rounds, 15);
}

}  // namespace asyncio
