// ServerState: what the handle of a server, its operations and its connections
// share.
#ifndef ASYNCIO_STREAMS_INTERNAL_SERVER_STATE_H_
#define ASYNCIO_STREAMS_INTERNAL_SERVER_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>
#include <vector>

#include "asyncio/base/context.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/streams/internal/descriptor_domain.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/future.h"

namespace asyncio::internal {

// The callback for new connections. Kept by the server and by each handler that
// runs.
class ClientCallback {
 public:
  ClientCallback() = default;
  ClientCallback(const ClientCallback&) = delete;
  ClientCallback& operator=(const ClientCallback&) = delete;

  virtual void connected(Ref<Stream> stream) = 0;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 protected:
  virtual ~ClientCallback() = default;

 private:
  uint32_t references_ = 0;
};

class ServerState;

// One listening socket.
class Listener final : private IoNode, private DescriptorOwner {
 public:
  // Takes `fd` over, which is bound and non-blocking. `file`: the Unix
  // socket's, to be removed at the end; empty for none.
  Listener(ServerState& server, int fd, std::string file);
  ~Listener() { close(); }

  // Listens, and accepts from the next turn on.
  void start();
  // Twice does no harm.
  void close() noexcept;

  bool open() const { return open_; }
  int fd() const { return IoNode::fd; }
  const SocketAddress& address() const { return address_; }

 private:
  void run() override;
  void drop() noexcept override;
  std::string describe() const override;
  void loop_closed() noexcept override { close(); }
  // Whether there may be another.
  bool accept();
  void accept_failed(int error);
  void remove_file() noexcept;

  ServerState& server_;
  const SocketAddress address_;
  const std::string file_;
  dev_t file_device_ = 0;
  ino_t file_inode_ = 0;
  bool open_ = true;
  TimerHandle retry_;  // while it does not accept after a failure
  bool retrying_ = false;
  bool keeps_server_ = false;  // closed while it was in the ready queue
};

class ServerState final : public StreamOwner, public Pooled {
 public:
  ServerState(EventLoop& loop, Ref<ClientCallback> callback, size_t limit,
              int backlog, bool keep_alive);

  EventLoop& loop() const { return loop_; }
  const std::vector<std::unique_ptr<Listener>>& listeners() const {
    return listeners_;
  }
  void add_listener(int fd, std::string file);

  // Whether it was not closed yet; whether it accepts.
  bool open() const { return open_; }
  bool serving() const { return serving_; }
  size_t clients() const { return clients_; }
  WaitQueue& closed_waiters() { return closed_waiters_; }
  // Not null while a serve_forever() waits.
  Future<>& forever() { return forever_; }

  void start_serving();
  void close();
  void close_clients();
  void abort_clients();
  // A connection, whose callback is called in call_back(): a turn's are accepted
  // first, as a callback may close the server.
  void accepted(int fd, const SocketAddress& peer);
  void call_back();
  // In a handler of what has interrupted either.
  void call_back_later();
  void stream_lost(Stream& stream) noexcept override;

  // Counts those who want it to listen: without one it is closed.
  void hold_open() { ++holders_; }
  void drop_open() {
    if (--holders_ == 0) close_unchecked();
  }
  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 private:
  friend class Listener;
  ~ServerState();
  // By a destructor, which cannot refuse a wrong thread.
  void close_unchecked();
  template <class F>
  void for_each_client(F&& fn);
  void wake_if_gone();
  void call_back_for(Ref<Stream> stream);

  EventLoop& loop_;  // its bytes are kept, so that no later loop is taken for it
  const Ref<ClientCallback> callback_;
  const size_t limit_;
  const int backlog_;
  const bool keep_alive_;
  bool open_ = true;
  bool serving_ = false;
  ContextSlot context_;  // in which it began to serve
  std::vector<std::unique_ptr<Listener>> listeners_;
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
  size_t clients_ = 0;
  std::vector<Ref<Stream>> accepted_;  // in the order of their callbacks
  size_t called_back_ = 0;             // so many of them
  WaitQueue closed_waiters_;
  Future<> forever_;
  uint32_t holders_ = 0;
  uint32_t references_ = 0;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_SERVER_STATE_H_
