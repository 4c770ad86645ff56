// DatagramSocket: what the handle of a datagram endpoint and its operations
// share.
//
// It is watched while somebody waits, and on until it is ready with nobody
// waiting: who receives one datagram after the other has it registered once.
#ifndef ASYNCIO_STREAMS_INTERNAL_DATAGRAM_SOCKET_H_
#define ASYNCIO_STREAMS_INTERNAL_DATAGRAM_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/internal/descriptor_domain.h"
#include "asyncio/streams/internal/turn_line.h"
#include "asyncio/streams/socket_address.h"

namespace asyncio::internal {

class DatagramSocket final : private IoNode, private DescriptorOwner {
 public:
  // Takes `fd` over, which is non-blocking. `remote`: what it sends to, where
  // it is `connected` or is to look so.
  DatagramSocket(EventLoop& loop, int fd, size_t max_size,
                 const SocketAddress& remote, bool connected);

  // RuntimeError where it is closed; the kernel's refusals.
  std::optional<Datagram> try_recv();
  // One that was taken from the kernel with another.
  std::optional<Datagram> take_received();
  bool try_send(std::string_view data, const SocketAddress& address);
  // How many of them went; none where the kernel's buffer is full.
  size_t try_send_many(std::span<const Datagram> datagrams);
  // ValueError where `address` is another than the remote one.
  void check_address(const SocketAddress& address) const;

  // To wait in when one of those was in vain: see TurnLine. Watches it.
  // RuntimeError in a task of another loop.
  TurnLine& readers() { return watched(readers_, kIoRead); }
  TurnLine& writers() { return watched(writers_, kIoWrite); }

  void change_group(const SocketAddress& group, std::string_view interface,
                    bool join);
  void set_multicast_interface(std::string_view interface);
  void set_multicast_ttl(int ttl);
  void set_multicast_loop(bool loop);
  void set_ttl(int ttl);
  void set_broadcast(bool allow);

  uint64_t dropped() const;
  SocketAddress sockname() const;
  const SocketAddress& remote() const { return remote_; }
  int descriptor() const { return closed_ ? -1 : IoNode::fd; }
  bool closed() const { return closed_; }
  void close();
  // By a destructor, which cannot refuse a wrong thread.
  void close_unchecked() noexcept;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) end();
  }

 private:
  class Line final : public TurnLine {
    // The watch goes on, for whoever comes next.
    void emptied() noexcept override {}
  };

  ~DatagramSocket() = default;
  // Nobody has it any more: closes it, and deletes it when it is in no queue.
  void end() noexcept;
  void run() override;
  void drop() noexcept override {
    if (references_ == 0) delete this;
  }
  std::string describe() const override;
  void loop_closed() noexcept override;

  TurnLine& watched(TurnLine& line, int32_t side);
  void told(TurnLine& line, int32_t side);
  void check_open() const;
  void receive_batch();
  // Null where the kernel knows it.
  const SocketAddress* target(const SocketAddress& address) const;
  template <class T>
  void set_option(int level, int option, const T& value, const char* name);
  bool is_v6() const { return family_ == AF_INET6; }

  EventLoop* loop_;
  Line readers_;
  Line writers_;
  std::deque<Datagram> received_;  // taken from the kernel, by nobody else yet
  // Whether the kernel may have more; where not, it will say so.
  bool maybe_more_ = true;
  bool closed_ = false;
  const bool connected_;
  const int family_;
  const size_t max_size_;
  const SocketAddress remote_;
  uint32_t references_ = 0;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_DATAGRAM_SOCKET_H_
