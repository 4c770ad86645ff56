// Poller: the seam between the loop and the kernel. Only a poller waits.
//
// It works on IoNodes, which live with the loop. What happened is written into
// the node and the node is put on the ready queue given to poll(): a descriptor
// that became ready does so with the events as its result, once for each poll in
// which the kernel reports it (level-triggered). A back end that completes
// operations by itself reports them in the same way, with the bytes or the
// negative errno as the result: the loop does not ask which kind it was.
#ifndef ASYNCIO_LOOP_INTERNAL_POLLER_H_
#define ASYNCIO_LOOP_INTERNAL_POLLER_H_

#include <cstdint>
#include <memory>

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio::internal {

enum IoEvents : int32_t { kIoNone = 0, kIoRead = 1, kIoWrite = 2 };

// What a poller reports on. Its owner keeps it alive while it is watched or
// queued.
class IoNode : public ReadyNode {
 public:
  explicit IoNode(int fd) : fd(fd) {}

  const int fd;
  int32_t interest = kIoNone;  // kept by the poller
  uint32_t slot = 0;           // the poller's own
  int32_t result = 0;          // written by the poller, cleared by run()
};

class Poller {
 public:
  virtual ~Poller() = default;

  // Watches `node.fd` for `interest` (kIoRead | kIoWrite) from now on; kIoNone
  // ends it. Throws the kernel's refusal as OSError, but for a refusal to watch
  // less: then the descriptor is closed, and nothing comes of it any more.
  virtual void set_interest(IoNode& node, int32_t interest) = 0;

  // How many nodes are watched: with none there is no need to poll.
  int watched() const { return watched_; }

  // Waits until something is ready, the Wakeup was notified or `timeout` has
  // passed: zero only looks, infinite waits for ever. Never returns early by
  // rounding; a signal may end it early. Appends the nodes with events to `ready`,
  // in the kernel's order.
  virtual void poll(Duration timeout, ReadyQueue& ready) = 0;

 protected:
  int watched_ = 0;
};

// Its poll() ends at wakeup.notify(). `wakeup` outlives it.
std::unique_ptr<Poller> make_epoll_poller(const Wakeup& wakeup);

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_POLLER_H_
