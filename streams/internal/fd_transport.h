// FdTransport: a transport on a descriptor: a stream socket, an end of a pipe, a
// character device. docs/streams.md has its states.
//
// It is watched for reading once, level-triggered, and for writing while bytes
// are buffered. A readable descriptor is received from once, into the loop's
// scratch memory; a short count is not asked about again.
#ifndef ASYNCIO_STREAMS_INTERNAL_FD_TRANSPORT_H_
#define ASYNCIO_STREAMS_INTERNAL_FD_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <sys/uio.h>

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/streams/internal/byte_buffer.h"
#include "asyncio/streams/internal/descriptor_domain.h"
#include "asyncio/streams/internal/protocol.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/transport.h"

namespace asyncio::internal {

class FdTransport final : public Transport,
                          private IoNode,
                          private DescriptorOwner,
                          public Pooled {
 public:
  enum class Kind : uint8_t { kSocket, kReadPipe, kWritePipe };

  // Takes `fd` over, which is non-blocking, and tells `protocol` from the loop's
  // next turn on. OSError where it cannot be watched: then it stays the caller's.
  static Ref<FdTransport> open(EventLoop& loop, int fd, Kind kind,
                               Protocol& protocol,
                               const SocketAddress& peer = {});

  void close() override;
  void close_unchecked() override;
  void abort() override;
  bool is_reading() const override { return !closing_ && !paused_; }
  void pause_reading() override;
  void resume_reading() override;
  void write(std::string_view data) override;
  void writelines(std::span<const iovec> parts) override;
  void write_eof() override;
  bool can_write_eof() const override { return kind_ != Kind::kReadPipe; }
  size_t get_write_buffer_size() const override {
    return outgoing_.size() + (held_ ? held_->size() : 0);
  }
  WriteBufferLimits get_write_buffer_limits() const override {
    return {low_water_, high_water_};
  }
  void set_write_buffer_limits(WriteBufferOptions options) override;
  SocketAddress peername() const override { return peer_; }
  SocketAddress sockname() const override;
  int fd() const override { return open_ ? IoNode::fd : -1; }

  Kind kind() const { return kind_; }
  // Whether it has been decided that it ends.
  bool ending() const { return lost_count_ != 0; }
  // Whether write_eof() was called.
  bool write_ended() const { return write_eof_; }

  // Between the two, what is written waits for the second, and so does close():
  // somebody sends by a descriptor of their own, once what was buffered before,
  // ahead_of_hold(), is gone. Not one inside another.
  void begin_hold();
  void end_hold() noexcept;
  bool held() const { return held_ != nullptr; }
  size_t ahead_of_hold() const { return outgoing_.size(); }

  // Hands the transport to another protocol, which is told from here on.
  void set_protocol(Protocol& protocol) { protocol_ = &protocol; }

 private:
  // The call of connection_lost(), one turn after the end was decided.
  class Lost final : public ReadyNode {
   public:
    explicit Lost(FdTransport& owner) : owner_(owner) {}
    void run() override { owner_.lost(); }
    void drop() noexcept override {}

   private:
    FdTransport& owner_;
  };

  FdTransport(EventLoop& loop, int fd, Kind kind, Protocol& protocol,
              const SocketAddress& peer);
  ~FdTransport() override = default;

  void run() override;
  void drop() noexcept override {}
  std::string describe() const override;
  void loop_closed() noexcept override;

  [[gnu::noinline]] void run_otherwise(int32_t events);
  void read_ready();
  // In the handler of what the protocol has thrown.
  [[gnu::noinline]] void receive_failed() noexcept;
  // The end, or a failure that is told by its negative errno.
  [[gnu::noinline]] void received_nothing(ssize_t n);
  void write_ready();
  // The calls of every message; of a socket, and in a loop without a System of its
  // own, made directly. A failure is what told() makes of it, before errno changes:
  // asked for there alone, it costs the others nothing.
  ssize_t receive();
  ssize_t send(std::string_view data);
  ssize_t send_parts(std::span<const iovec> parts);
  // The count, or the negative errno.
  ssize_t told(ssize_t n) const;
  // send() of what is no socket, too; told already.
  ssize_t send_now(std::string_view data);
  // A part of what was given is not sent yet.
  void buffer(std::string_view data);
  void end_of_stream();
  // Whether a write goes nowhere.
  bool refuses_write(const char* call, std::span<const iovec> parts);
  // Whether what is written goes to the kernel, or behind what waits for it. Else
  // it is in the hold, or nowhere.
  bool admits(const char* call, std::span<const iovec> parts);
  [[gnu::noinline]] void write_otherwise(std::string_view data);
  [[gnu::noinline]] void write_rest(std::string_view data, ssize_t n);
  [[gnu::noinline]] void writelines_rest(std::span<const iovec> parts,
                                         ssize_t n);
  void failed(int error, const char* call);
  std::string other_end() const;
  void fatal_error(std::exception_ptr error, const char* message);
  void force_close(std::exception_ptr error);
  void schedule_lost(std::exception_ptr error);
  void lost() noexcept;
  void close_descriptor() noexcept;

  void watch();
  void unwatch() noexcept;
  // After a change of what plain_ says.
  void note_plain() noexcept;
  void maybe_pause_protocol();
  void maybe_resume_protocol();

  EventLoop* loop_;
  char* scratch_;
  Protocol* protocol_;  // null after its last call
  ByteBuffer outgoing_;
  std::unique_ptr<ByteBuffer> held_;
  size_t high_water_;
  size_t low_water_;
  std::exception_ptr error_;  // what Lost is to tell
  Lost lost_;
  // How often it was found lost: the first time when the end was decided, then
  // once for each write of something that went nowhere.
  uint32_t lost_count_ = 0;
  const Kind kind_;
  const bool direct_;  // its System is the kernel itself
  // A socket that is watched for reading alone, without write_eof() and without a
  // hold: neither is it closing nor has it bytes to send before others.
  bool plain_ = false;
  bool open_ = true;
  bool paused_ = false;
  bool read_eof_;
  bool write_eof_ = false;
  bool protocol_paused_ = false;
  SocketAddress peer_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_FD_TRANSPORT_H_
