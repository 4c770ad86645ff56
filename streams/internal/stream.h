// Stream: what the reader, the writer and their operations share: the received
// bytes, the tasks that drain() and wait_closed(), and the transport below.
#ifndef ASYNCIO_STREAMS_INTERNAL_STREAM_H_
#define ASYNCIO_STREAMS_INTERNAL_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/protocol.h"
#include "asyncio/streams/internal/stream_buffer.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/transport.h"
#include "asyncio/sync/internal/wait_queue.h"

namespace asyncio::internal {

class Stream;

// Told of the end of a stream: the server that it came from.
class StreamOwner {
 public:
  virtual void stream_lost(Stream& stream) noexcept = 0;

 protected:
  ~StreamOwner() = default;
};

// It lives while somebody uses it, a handle or an operation, or its transport is
// open. Where nobody uses it any more the transport is closed.
class Stream final : public Protocol, public Pooled {
 public:
  Stream(EventLoop& loop, size_t limit) : loop_(loop), buffer_(loop, limit) {}

  // A stream on `fd`, which it takes over: see FdTransport::open().
  static Ref<Stream> open(EventLoop& loop, int fd, FdTransport::Kind kind,
                          size_t limit, const SocketAddress& peer = {});

  // Once. `only_writes`: there is no reader who could be told of an error.
  void set_transport(Ref<Transport> transport, bool only_writes = false);
  void set_owner(StreamOwner* owner) { owner_ = owner; }

  EventLoop& loop() const { return loop_; }
  StreamBuffer& buffer() { return buffer_; }
  // Null for one that is fed by hand.
  Transport* transport() const { return transport_.get(); }

  bool lost() const { return lost_; }
  const std::exception_ptr& lost_error() const { return lost_error_; }
  bool writing_paused() const { return writing_paused_; }
  WaitQueue& drain_waiters() { return drain_waiters_; }
  WaitQueue& closed_waiters() { return closed_waiters_; }

  // Counts who uses it.
  void retain() { ++users_; }
  void release() {
    if (--users_ == 0) unused();
  }

  void data_received(std::string_view data) override {
    buffer_.feed_data(data);
  }
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) noexcept override;
  void pause_writing() override { writing_paused_ = true; }
  void resume_writing() override;
  void loop_closed() noexcept override;

  // A server's list of its streams.
  Stream* prev_of_owner = nullptr;
  Stream* next_of_owner = nullptr;

 private:
  ~Stream() = default;
  void unused();
  void detach();

  EventLoop& loop_;
  Ref<Transport> transport_;
  StreamBuffer buffer_;
  WaitQueue drain_waiters_;
  WaitQueue closed_waiters_;
  std::exception_ptr lost_error_;
  StreamOwner* owner_ = nullptr;
  uint32_t users_ = 0;
  bool attached_ = false;  // the transport will call connection_lost()
  bool lost_ = false;
  bool writing_paused_ = false;
  bool only_writes_ = false;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_STREAM_H_
