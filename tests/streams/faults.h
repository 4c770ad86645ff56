// FaultySystem and FaultyPoller: a kernel that is as unhelpful as it may be.
// Both sit below a loop in the place of the real ones, work on real
// descriptors, and spoil what those say.
//
//   FaultySystem system;
//   system.plan = [](std::string_view call, uint64_t number) -> Fault {
//     if (call == "send" && number == 3) return {.error = ECONNRESET};
//     return {.most = 1};                         // one byte a call
//   };
//   run_with_faults(system, PollerFaults(), body);
//
// With `seeded_plan()` the same seed gives the same faults.
#ifndef ASYNCIO_TESTS_STREAMS_FAULTS_H_
#define ASYNCIO_TESTS_STREAMS_FAULTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <vector>

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/loop/internal/wakeup.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {

// What becomes of one call.
struct Fault {
  int error = 0;           // not made: it fails with this errno
  size_t most = SIZE_MAX;  // made for so many bytes, or messages, at most
  bool made = false;  // with an error: made all the same, but for what it says
};

// Asked before each call: its name ("recv", "send", "accept", ...) and how many
// of that name there were before.
using FaultPlan = std::function<Fault(std::string_view call, uint64_t number)>;

class FaultySystem final : public internal::System {
 public:
  FaultPlan plan;  // empty: no faults

  // Forgets what was counted.
  void reset();

  // How often each call was made or refused.
  uint64_t calls(const std::string& name) const;
  // Of those that the plan spoilt, in all.
  uint64_t faults() const { return faults_; }

  ssize_t read(int fd, void* data, size_t size) override;
  ssize_t write(int fd, const void* data, size_t size) override;
  ssize_t writev(int fd, const iovec* parts, int count) override;
  ssize_t recv(int fd, void* data, size_t size, int flags) override;
  ssize_t send(int fd, const void* data, size_t size, int flags) override;
  ssize_t sendmsg(int fd, const msghdr* message, int flags) override;
  ssize_t recvmsg(int fd, msghdr* message, int flags) override;
  int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) override;
  int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) override;
  ssize_t sendfile(int to, int from, off_t* offset, size_t count) override;
  ssize_t splice(int to, int from, size_t count) override;
  int accept(int fd, sockaddr* address, socklen_t* size) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  int socket(int family, int type, int protocol) override;

 private:
  Fault ask(const char* call);

  std::map<std::string, uint64_t> calls_;
  uint64_t faults_ = 0;
};

// Short counts, EAGAIN and EINTR, each at one call in `rarity`; nothing that
// ends a connection.
FaultPlan seeded_plan(uint32_t seed, unsigned rarity = 3);
// The same for datagrams, of which none is cut: small batches, EAGAIN, EINTR.
FaultPlan seeded_datagram_plan(uint32_t seed, unsigned rarity = 3);

struct PollerFaults {
  uint32_t seed = 0;
  // One event in so many is held back until a later poll, or told where nothing
  // happened; and the order is any. Zero: never.
  unsigned rarity = 0;
};

// A poller that tells events late, in another order, and some that are none.
std::unique_ptr<internal::Poller> make_faulty_poller(
    const internal::Wakeup& wakeup, PollerFaults faults);

// A loop above these.
std::unique_ptr<EventLoop> new_faulty_loop(VirtualClock& clock,
                                           FaultySystem& system,
                                           PollerFaults faults);

// Runs `body` on a loop with a virtual clock above these. Gives what the loop
// reported. What the body throws fails the test.
std::vector<ExceptionContext> run_with_faults(
    FaultySystem& system, PollerFaults faults,
    const std::function<Coroutine<>()>& body);

// A plan for each seed.
using SeededPlan = std::function<FaultPlan(uint32_t seed)>;

// The same on kernels and pollers of many seeds. Gives how many calls they spoilt
// in all.
uint64_t run_with_seeds(const SeededPlan& plan,
                        const std::function<Coroutine<>()>& body);

// cancel_everywhere() on kernels and pollers of several seeds.
void cancel_with_seeds(const SeededPlan& plan,
                       const std::function<Coroutine<>(CancelScene&)>& scene);

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_STREAMS_FAULTS_H_
