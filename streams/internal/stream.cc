#include "asyncio/streams/internal/stream.h"

#include <cstddef>
#include <exception>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/transport.h"

namespace asyncio::internal {

Ref<Stream> Stream::open(EventLoop& loop, int fd, FdTransport::Kind kind,
                         size_t limit, const SocketAddress& peer) {
  Ref<Stream> stream(new Stream(loop, limit));
  Ref<FdTransport> transport =
      FdTransport::open(loop, fd, kind, *stream, peer);
  stream->set_transport(Ref<Transport>(transport.get()),
                        kind == FdTransport::Kind::kWritePipe);
  return stream;
}

void Stream::set_transport(Ref<Transport> transport, bool only_writes) {
  transport_ = std::move(transport);
  only_writes_ = only_writes;
  buffer_.set_transport(transport_.get());
  attached_ = true;
}

bool Stream::eof_received() {
  buffer_.feed_eof();
  return true;
}

void Stream::connection_lost(std::exception_ptr error) noexcept {
  lost_ = true;
  if (error == nullptr) {
    buffer_.feed_eof();
  } else {
    lost_error_ = error;
    if (!only_writes_) buffer_.set_exception(std::move(error));
  }
  closed_waiters_.wake_all();
  drain_waiters_.wake_all();
  detach();
}

void Stream::resume_writing() {
  writing_paused_ = false;
  drain_waiters_.wake_all();
}

void Stream::loop_closed() noexcept {
  lost_ = true;
  buffer_.loop_closed();
  detach();
}

// The transport has made its last call.
void Stream::detach() {
  if (StreamOwner* owner = std::exchange(owner_, nullptr)) {
    owner->stream_lost(*this);
  }
  attached_ = false;
  if (users_ == 0) delete this;
}

void Stream::unused() {
  if (attached_) {
    transport_->close_unchecked();
  } else {
    delete this;
  }
}

}  // namespace asyncio::internal
