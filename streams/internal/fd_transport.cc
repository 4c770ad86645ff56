#include "asyncio/streams/internal/fd_transport.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

#include "absl/base/macros.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/internal/descriptor_domain.h"
#include "asyncio/streams/internal/protocol.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/transport.h"

namespace asyncio::internal {
namespace {

constexpr size_t kHighWater = 64 * 1024;
// So many writes to a lost connection pass in silence.
constexpr uint32_t kLostWritesBeforeWarning = 5;
constexpr size_t kMaxParts = IOV_MAX;

bool would_block(ssize_t n) {
  return n == -EAGAIN || n == -EWOULDBLOCK || n == -EINTR;
}

bool is_device(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode);
}

std::string name_of(const SocketAddress& peer, int fd) {
  std::string name = peer.to_string();
  return name.empty() ? "descriptor " + std::to_string(fd) : name;
}

// Out of line: strings on its stack would make the function that receives pay.
[[gnu::noinline]] std::exception_ptr broken_pipe(const SocketAddress& peer,
                                                 int fd) {
  return make_os_error(EPIPE, "write to " + name_of(peer, fd));
}

}  // namespace

Ref<FdTransport> FdTransport::open(EventLoop& loop, int fd, Kind kind,
                                   Protocol& protocol,
                                   const SocketAddress& peer) {
  LoopAccess::check_usable(loop);
  Ref<FdTransport> transport(new FdTransport(loop, fd, kind, protocol, peer));
  transport->enter(DescriptorDomain::of(loop), fd);
  transport->watch();
  return transport;
}

FdTransport::FdTransport(EventLoop& loop, int fd, Kind kind,
                         Protocol& protocol, const SocketAddress& peer)
    : IoNode(fd),
      loop_(&loop),
      scratch_(DescriptorDomain::of(loop).scratch()),
      protocol_(&protocol),
      high_water_(kHighWater),
      low_water_(kHighWater / 4),
      lost_(*this),
      kind_(kind),
      direct_(&LoopAccess::system(loop) == &kernel()),
      // What comes from a terminal does not concern who writes to it; of a pipe
      // the end does.
      read_eof_(kind == Kind::kWritePipe && is_device(fd)),
      peer_(peer) {}

std::string FdTransport::describe() const {
  return "<Transport fd=" + std::to_string(IoNode::fd) + ">";
}

// --- Receiving.

inline ssize_t FdTransport::told(ssize_t n) const {
  return n < 0 && direct_ && kind_ == Kind::kSocket ? -errno : n;
}

inline ssize_t FdTransport::receive() {
  if (!direct_) [[unlikely]] {
    return LoopAccess::system(*loop_).recv(IoNode::fd, scratch_,
                                           DescriptorDomain::kScratchSize, 0);
  }
  return ::recv(IoNode::fd, scratch_, DescriptorDomain::kScratchSize, 0);
}

// Something has come, and nothing else has happened: nearly every event.
void FdTransport::run() {
  const int32_t events = std::exchange(result, 0);
  if (events != kIoRead || !plain_) [[unlikely]] {
    run_otherwise(events);
    return;
  }
  const ssize_t n = receive();
  if (n <= 0) [[unlikely]] {
    received_nothing(told(n));
    return;
  }
  try {
    protocol_->data_received({scratch_, static_cast<size_t>(n)});
  } catch (...) {
    receive_failed();
  }
}

void FdTransport::run_otherwise(int32_t events) {
  try {
    // What a callback of this turn ended or paused is not told any more.
    if ((events & interest & kIoRead) != 0) read_ready();
    if ((events & interest & kIoWrite) != 0) write_ready();
  } catch (...) {
    receive_failed();
  }
}

void FdTransport::receive_failed() noexcept {
  fatal_error(std::current_exception(),
              "Fatal error: protocol.data_received() call failed.");
}

void FdTransport::read_ready() {
  if (kind_ == Kind::kWritePipe) [[unlikely]] {
    // All that can happen to it: nobody is left to read it.
    force_close(outgoing_.empty()
                    ? nullptr
                    : broken_pipe(peer_, IoNode::fd));
    return;
  }
  const ssize_t n =
      kind_ == Kind::kSocket
          ? told(receive())
          : LoopAccess::system(*loop_).read(IoNode::fd, scratch_,
                                            DescriptorDomain::kScratchSize);
  if (n > 0) {
    protocol_->data_received({scratch_, static_cast<size_t>(n)});
  } else {
    received_nothing(n);
  }
}

void FdTransport::received_nothing(ssize_t n) {
  try {
    if (n == 0) {
      end_of_stream();
    } else if (!would_block(n)) {
      failed(static_cast<int>(-n), kind_ == Kind::kSocket ? "recv" : "read");
    }
  } catch (...) {
    receive_failed();
  }
}

void FdTransport::end_of_stream() {
  read_eof_ = true;
  const bool keep_open = protocol_->eof_received();
  if (keep_open && kind_ == Kind::kSocket) {
    watch();
  } else {
    close();
  }
}

// One that has ended has no loop.
void FdTransport::pause_reading() {
  if (closing_) return;
  LoopAccess::check_thread(*loop_);
  if (paused_) return;
  paused_ = true;
  watch();
}

void FdTransport::resume_reading() {
  if (closing_) return;
  LoopAccess::check_thread(*loop_);
  if (!paused_) return;
  paused_ = false;
  watch();
}

// --- Sending.

bool FdTransport::refuses_write(const char* call,
                                std::span<const iovec> parts) {
  if (write_eof_) {
    throw RuntimeError("Cannot call " + std::string(call) +
                       "() after write_eof()");
  }
  if (lost_count_ == 0 && !(closing_ && kind_ != Kind::kSocket)) [[likely]] {
    return false;
  }
  // With nothing in it, it does not count.
  if (std::all_of(parts.begin(), parts.end(),
                  [](const iovec& part) { return part.iov_len == 0; })) {
    return true;
  }
  if (lost_count_ >= kLostWritesBeforeWarning) {
    std::fputs(kind_ == Kind::kSocket
                   ? "socket.send() raised exception.\n"
                   : "pipe closed by peer or os.write(pipe, data) raised "
                     "exception.\n",
               stderr);
  }
  ++lost_count_;
  return true;
}

inline ssize_t FdTransport::send(std::string_view data) {
  if (!direct_) [[unlikely]] {
    return LoopAccess::system(*loop_).send(IoNode::fd, data.data(), data.size(),
                                           0);
  }
  return ::send(IoNode::fd, data.data(), data.size(), MSG_NOSIGNAL);
}

ssize_t FdTransport::send_now(std::string_view data) {
  return kind_ == Kind::kSocket
             ? told(send(data))
             : LoopAccess::system(*loop_).write(IoNode::fd, data.data(),
                                                data.size());
}

// Nothing in the way, and all of it sent at once: nearly every write. The rest is
// a call of its own, so that this one saves few registers.
void FdTransport::write(std::string_view data) {
  if (!plain_ || running_loop != loop_ || data.empty()) [[unlikely]] {
    write_otherwise(data);
    return;
  }
  const ssize_t n = send(data);
  if (n != static_cast<ssize_t>(data.size())) [[unlikely]] {
    write_rest(data, told(n));
  }
}

void FdTransport::write_otherwise(std::string_view data) {
  const iovec part = {const_cast<char*>(data.data()), data.size()};
  if (!admits("write", {&part, 1}) || data.empty()) return;
  if (outgoing_.empty()) {
    write_rest(data, send_now(data));
  } else {
    buffer(data);
  }
}

bool FdTransport::admits(const char* call, std::span<const iovec> parts) {
  // One that is lost is closing, too.
  if ((write_eof_ || closing_) && refuses_write(call, parts)) return false;
  LoopAccess::check_thread(*loop_);
  if (!held_) return true;
  for (const iovec& part : parts) {
    held_->append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  maybe_pause_protocol();
  return false;
}

// After send_now() gave `n`.
void FdTransport::write_rest(std::string_view data, ssize_t n) {
  if (n >= 0) {
    data.remove_prefix(static_cast<size_t>(n));
  } else if (!would_block(n)) {
    failed(static_cast<int>(-n), kind_ == Kind::kSocket ? "send" : "write");
    return;
  }
  if (!data.empty()) buffer(data);
}

inline ssize_t FdTransport::send_parts(std::span<const iovec> parts) {
  const size_t count = std::min(parts.size(), kMaxParts);
  if (kind_ != Kind::kSocket) [[unlikely]] {
    return LoopAccess::system(*loop_).writev(IoNode::fd, parts.data(),
                                             static_cast<int>(count));
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = count;
  if (!direct_) [[unlikely]] {
    return LoopAccess::system(*loop_).sendmsg(IoNode::fd, &message, 0);
  }
  return ::sendmsg(IoNode::fd, &message, MSG_NOSIGNAL);
}

void FdTransport::writelines(std::span<const iovec> parts) {
  if (!plain_ || running_loop != loop_ || parts.empty()) [[unlikely]] {
    if (!admits("writelines", parts) || parts.empty()) return;
    writelines_rest(parts, outgoing_.empty() ? told(send_parts(parts)) : 0);
    return;
  }
  ssize_t size = 0;
  for (const iovec& part : parts) size += static_cast<ssize_t>(part.iov_len);
  const ssize_t n = send_parts(parts);
  if (n != size) [[unlikely]] writelines_rest(parts, told(n));
}

// After send_parts() gave `n`.
void FdTransport::writelines_rest(std::span<const iovec> parts, ssize_t n) {
  if (n < 0 && !would_block(n)) {
    failed(static_cast<int>(-n), kind_ == Kind::kSocket ? "sendmsg" : "writev");
    return;
  }
  size_t sent = static_cast<size_t>(std::max<ssize_t>(n, 0));
  bool left = false;
  for (const iovec& part : parts) {
    std::string_view data(static_cast<const char*>(part.iov_base),
                          part.iov_len);
    const size_t gone = std::min(sent, data.size());
    sent -= gone;
    data.remove_prefix(gone);
    if (data.empty()) continue;
    outgoing_.append(data.data(), data.size());
    left = true;
  }
  if (left) buffer({});
}

void FdTransport::buffer(std::string_view data) {
  if (!data.empty()) outgoing_.append(data.data(), data.size());
  try {
    watch();
  } catch (...) {
    fatal_error(std::current_exception(), "Fatal write error on transport");
    return;
  }
  maybe_pause_protocol();
}

void FdTransport::write_ready() {
  const ssize_t n = send_now(outgoing_.view());
  if (would_block(n)) return;
  if (n < 0) {
    failed(static_cast<int>(-n), kind_ == Kind::kSocket ? "send" : "write");
    return;
  }
  outgoing_.consume(static_cast<size_t>(n));
  maybe_resume_protocol();
  if (!outgoing_.empty()) return;
  if (held_) {
    watch();
    return;
  }
  if (closing_) {
    unwatch();
    ++lost_count_;
    lost();
    return;
  }
  watch();
  if (write_eof_) LoopAccess::system(*loop_).shutdown(IoNode::fd, SHUT_WR);
}

void FdTransport::write_eof() {
  if (closing_) return;
  LoopAccess::check_thread(*loop_);
  if (write_eof_) return;
  if (kind_ == Kind::kWritePipe) {
    close();
    return;
  }
  write_eof_ = true;
  note_plain();
  if (!outgoing_.empty() || held_) return;
  const int status =
      LoopAccess::system(*loop_).shutdown(IoNode::fd, SHUT_WR);
  if (status < 0) {
    throw_os_error(-status, "shutdown of the connection to " + other_end());
  }
}

void FdTransport::begin_hold() {
  held_ = std::make_unique<ByteBuffer>();
  note_plain();
}

void FdTransport::end_hold() noexcept {
  const std::unique_ptr<ByteBuffer> held = std::move(held_);
  note_plain();
  if (lost_count_ != 0) return;
  if (!outgoing_.empty() || !held->empty()) {
    buffer(held->view());
    return;
  }
  if (closing_) {
    ++lost_count_;
    schedule_lost(nullptr);
  } else if (write_eof_) {
    LoopAccess::system(*loop_).shutdown(IoNode::fd, SHUT_WR);
  }
}

void FdTransport::set_write_buffer_limits(WriteBufferOptions options) {
  if (open_) LoopAccess::check_thread(*loop_);
  const size_t high = options.high ? *options.high
                      : options.low ? 4 * *options.low
                                    : kHighWater;
  const size_t low = options.low.value_or(high / 4);
  if (high < low) {
    throw ValueError("high (" + std::to_string(high) + ") must be >= low (" +
                     std::to_string(low) + ") must be >= 0");
  }
  high_water_ = high;
  low_water_ = low;
  maybe_pause_protocol();
}

void FdTransport::maybe_pause_protocol() {
  if (protocol_paused_ || get_write_buffer_size() <= high_water_) return;
  protocol_paused_ = true;
  if (protocol_ != nullptr) protocol_->pause_writing();
}

void FdTransport::maybe_resume_protocol() {
  if (!protocol_paused_ || get_write_buffer_size() > low_water_) return;
  protocol_paused_ = false;
  protocol_->resume_writing();
}

// --- The end.

void FdTransport::close() {
  if (closing_) return;
  LoopAccess::check_thread(*loop_);
  close_unchecked();
}

void FdTransport::abort() {
  if (lost_count_ != 0) return;
  LoopAccess::check_thread(*loop_);
  force_close(nullptr);
}

void FdTransport::close_unchecked() {
  if (closing_) return;
  closing_ = true;
  if (outgoing_.empty() && !held_) {
    ++lost_count_;
    schedule_lost(nullptr);
  } else if (loop_->is_closed()) {
    loop_closed();
  } else {
    watch();  // for writing alone
  }
}

void FdTransport::failed(int error, const char* call) {
  const bool receives = call[0] == 'r';
  std::string what = call;
  what += receives ? " from " : " to ";
  force_close(make_os_error(error, what + other_end()));
}

// For the texts of errors.
std::string FdTransport::other_end() const {
  return name_of(peer_, IoNode::fd);
}

void FdTransport::fatal_error(std::exception_ptr error, const char* message) {
  if (exception_cast<OSError>(error) == nullptr) {
    loop_->call_exception_handler(ExceptionContext(message, error));
  }
  force_close(std::move(error));
}

void FdTransport::force_close(std::exception_ptr error) {
  if (lost_count_ != 0) return;
  outgoing_.clear();
  if (held_) {
    held_->clear();
    // Whoever sends by a descriptor of their own is to see it, too.
    LoopAccess::system(*loop_).shutdown(IoNode::fd, SHUT_RDWR);
  }
  closing_ = true;
  ++lost_count_;
  schedule_lost(std::move(error));
}

void FdTransport::schedule_lost(std::exception_ptr error) {
  unwatch();
  error_ = std::move(error);
  if (loop_->is_closed()) [[unlikely]] {
    loop_closed();
    return;
  }
  LoopAccess::push(*loop_, lost_);
}

void FdTransport::lost() noexcept {
  Ref<FdTransport> self(this);
  if (Protocol* protocol = std::exchange(protocol_, nullptr)) {
    protocol->connection_lost(std::exchange(error_, nullptr));
  }
  close_descriptor();
}

void FdTransport::loop_closed() noexcept {
  Ref<FdTransport> self(this);
  unwatch();
  outgoing_.clear();
  closing_ = true;
  ++lost_count_;
  if (Protocol* protocol = std::exchange(protocol_, nullptr)) {
    protocol->loop_closed();
  }
  close_descriptor();
}

void FdTransport::close_descriptor() noexcept {
  leave();
  if (!std::exchange(open_, false)) return;
  LoopAccess::system(*loop_).close(IoNode::fd);
  loop_ = nullptr;
}

SocketAddress FdTransport::sockname() const {
  if (!open_ || kind_ != Kind::kSocket) return SocketAddress();
  return SocketAddress::local_of(IoNode::fd);
}

// --- The watch.

// Tells the poller what there is to wait for.
void FdTransport::watch() {
  int32_t wanted = kIoNone;
  if (!closing_ && !paused_ && !read_eof_) wanted |= kIoRead;
  if (!outgoing_.empty()) wanted |= kIoWrite;
  if (wanted == interest) return;
  LoopAccess::set_interest(*loop_, *this, wanted);
  note_plain();
}

void FdTransport::unwatch() noexcept {
  if (interest == kIoNone) return;
  LoopAccess::set_interest(*loop_, *this, kIoNone);
  note_plain();
}

void FdTransport::note_plain() noexcept {
  plain_ = kind_ == Kind::kSocket && interest == kIoRead && !write_eof_ &&
           held_ == nullptr;
}

}  // namespace asyncio::internal
