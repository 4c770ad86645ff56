#include "asyncio/streams/internal/datagram_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/sock_diag.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/datagram.h"
#include "asyncio/streams/internal/descriptor_domain.h"
#include "asyncio/streams/internal/turn_line.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio::internal {
namespace {

constexpr size_t kBatch = 32;

// Where a batch is received. One for a thread: a socket that waits holds no
// memory. Pages that no datagram reaches stay untouched.
class BatchBuffer {
 public:
  static BatchBuffer& of_thread(size_t max_size) {
    static thread_local BatchBuffer buffer;
    if (buffer.max_size_ < max_size) buffer.resize(max_size);
    return buffer;
  }

  // Ready to be received into, `size` bytes each.
  mmsghdr* prepare(size_t size) {
    for (size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {data_.get() + i * max_size_, size};
      messages_[i] = {};
      msghdr& header = messages_[i].msg_hdr;
      header.msg_name = &addresses_[i];
      header.msg_namelen = sizeof(addresses_[i]);
      header.msg_iov = &parts_[i];
      header.msg_iovlen = 1;
    }
    return messages_.data();
  }
  Datagram datagram(size_t i) const {
    return Datagram(
        std::string(data_.get() + i * max_size_, messages_[i].msg_len),
        SocketAddress::from_sockaddr(
            reinterpret_cast<const sockaddr*>(&addresses_[i]),
            messages_[i].msg_hdr.msg_namelen));
  }

 private:
  void resize(size_t max_size) {
    data_ = std::make_unique_for_overwrite<char[]>(kBatch * max_size);
    max_size_ = max_size;
  }

  size_t max_size_ = 0;
  std::unique_ptr<char[]> data_;
  std::array<sockaddr_storage, kBatch> addresses_;
  std::array<iovec, kBatch> parts_;
  std::array<mmsghdr, kBatch> messages_;
};

bool would_block(ssize_t n) { return n == -EAGAIN || n == -EWOULDBLOCK; }

// The call again where it was interrupted.
template <class Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto n = call();
    if (n != -EINTR) return n;
  }
}

msghdr header_for(iovec& part, std::string_view data,
                  const SocketAddress* address) {
  part = {const_cast<char*>(data.data()), data.size()};
  msghdr header{};
  if (address != nullptr) {
    header.msg_name = const_cast<sockaddr*>(address->data());
    header.msg_namelen = address->size();
  }
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return header;
}

// Zero, for the kernel's choice, where there is no name.
unsigned interface_index(std::string_view interface) {
  if (interface.empty()) return 0;
  const unsigned index = if_nametoindex(std::string(interface).c_str());
  if (index == 0) {
    throw_os_error(errno, "if_nametoindex " + std::string(interface));
  }
  return index;
}

}  // namespace

DatagramSocket::DatagramSocket(EventLoop& loop, int fd, size_t max_size,
                               const SocketAddress& remote, bool connected)
    : IoNode(fd),
      loop_(&loop),
      connected_(connected),
      family_(SocketAddress::local_of(fd).family()),
      max_size_(max_size),
      remote_(remote) {
  enter(DescriptorDomain::of(loop), fd);
}

void DatagramSocket::end() noexcept {
  close_unchecked();
  if (!queued()) delete this;
}

std::optional<Datagram> DatagramSocket::try_recv() {
  check_open();
  if (received_.empty()) receive_batch();
  return take_received();
}

std::optional<Datagram> DatagramSocket::take_received() {
  if (received_.empty()) return std::nullopt;
  std::optional<Datagram> datagram(std::move(received_.front()));
  received_.pop_front();
  return datagram;
}

void DatagramSocket::receive_batch() {
  if (!maybe_more_) return;
  BatchBuffer& buffer = BatchBuffer::of_thread(max_size_);
  const int n = uninterrupted([&] {
    return LoopAccess::system(*loop_).recvmmsg(
        IoNode::fd, buffer.prepare(max_size_), kBatch, MSG_DONTWAIT);
  });
  // A short batch may have ended at an error, of which the kernel tells the
  // next.
  if (n < 0) {
    maybe_more_ = !would_block(n);
    if (maybe_more_) throw_os_error(-n, "recv at " + sockname().to_string());
    return;
  }
  maybe_more_ = n == kBatch;
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    received_.push_back(buffer.datagram(i));
  }
}

const SocketAddress* DatagramSocket::target(
    const SocketAddress& address) const {
  if (connected_) return nullptr;
  return address ? &address : remote_ ? &remote_ : nullptr;
}

void DatagramSocket::check_address(const SocketAddress& address) const {
  if (remote_ && address && address != remote_) {
    throw ValueError("Invalid address: must be None or " + remote_.to_string());
  }
}

bool DatagramSocket::try_send(std::string_view data,
                              const SocketAddress& address) {
  check_open();
  check_address(address);
  iovec part;
  const msghdr header = header_for(part, data, target(address));
  const ssize_t n = uninterrupted([&] {
    return LoopAccess::system(*loop_).sendmsg(IoNode::fd, &header,
                                              MSG_DONTWAIT);
  });
  if (n >= 0) return true;
  if (would_block(n)) return false;
  throw_os_error(static_cast<int>(-n),
                 "send to " + (address ? address : remote_).to_string());
}

size_t DatagramSocket::try_send_many(std::span<const Datagram> datagrams) {
  check_open();
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages;
  const size_t count = std::min(datagrams.size(), kBatch);
  for (size_t i = 0; i < count; ++i) {
    messages[i].msg_hdr =
        header_for(parts[i], datagrams[i].data, target(datagrams[i].address));
  }
  const int n = uninterrupted([&] {
    return LoopAccess::system(*loop_).sendmmsg(IoNode::fd, messages.data(),
                                               static_cast<unsigned>(count),
                                               MSG_DONTWAIT);
  });
  if (n >= 0) return static_cast<size_t>(n);
  if (would_block(n)) return 0;
  const SocketAddress& address = datagrams[0].address;
  throw_os_error(-n, "send to " + (address ? address : remote_).to_string());
}

TurnLine& DatagramSocket::watched(TurnLine& line, int32_t side) {
  if (step_task()->loop() != loop_) {
    throw RuntimeError(describe() + " is bound to a different event loop");
  }
  if ((interest & side) == 0) {
    LoopAccess::set_interest(*loop_, *this, interest | side);
  }
  return line;
}

std::string DatagramSocket::describe() const {
  return "<DatagramEndpoint fd=" + std::to_string(IoNode::fd) + ">";
}

void DatagramSocket::run() {
  const int32_t events = std::exchange(result, 0);
  if (references_ == 0) {
    delete this;
    return;
  }
  if (closed_) return;
  const Ref<DatagramSocket> share(this);
  if ((events & kIoRead) != 0) {
    maybe_more_ = true;
    told(readers_, kIoRead);
  }
  if ((events & kIoWrite) != 0) told(writers_, kIoWrite);
}

void DatagramSocket::told(TurnLine& line, int32_t side) {
  if (!line.empty()) {
    line.wake();
  } else if ((interest & side) != 0) {
    LoopAccess::set_interest(*loop_, *this, interest & ~side);
  }
}

void DatagramSocket::check_open() const {
  if (closed_) throw RuntimeError("the datagram endpoint is closed");
}

void DatagramSocket::close() {
  if (closed_) return;
  LoopAccess::check_thread(*loop_);
  close_unchecked();
}

void DatagramSocket::close_unchecked() noexcept {
  if (closed_) return;
  leave();
  LoopAccess::set_interest(*loop_, *this, kIoNone);
  loop_closed();
  readers_.wake_all();
  writers_.wake_all();
}

void DatagramSocket::loop_closed() noexcept {
  closed_ = true;
  LoopAccess::system(*loop_).close(IoNode::fd);
  received_.clear();
}

template <class T>
void DatagramSocket::set_option(int level, int option, const T& value,
                                const char* name) {
  check_open();
  if (setsockopt(IoNode::fd, level, option, &value, sizeof(value)) != 0) {
    throw_os_error(errno, std::string("setsockopt ") + name);
  }
}

void DatagramSocket::change_group(const SocketAddress& group,
                                  std::string_view interface, bool join) {
  group_req request = {};
  request.gr_interface = interface_index(interface);
  std::memcpy(&request.gr_group, group.data(), group.size());
  const int level = group.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (join) {
    set_option(level, MCAST_JOIN_GROUP, request, "MCAST_JOIN_GROUP");
  } else {
    set_option(level, MCAST_LEAVE_GROUP, request, "MCAST_LEAVE_GROUP");
  }
}

void DatagramSocket::set_multicast_interface(std::string_view interface) {
  const auto index = static_cast<int>(interface_index(interface));
  if (is_v6()) {
    set_option(IPPROTO_IPV6, IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF");
  } else {
    ip_mreqn request = {};
    request.imr_ifindex = index;
    set_option(IPPROTO_IP, IP_MULTICAST_IF, request, "IP_MULTICAST_IF");
  }
}

void DatagramSocket::set_multicast_ttl(int ttl) {
  if (is_v6()) {
    set_option(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl, "IPV6_MULTICAST_HOPS");
  } else {
    set_option(IPPROTO_IP, IP_MULTICAST_TTL, ttl, "IP_MULTICAST_TTL");
  }
}

void DatagramSocket::set_multicast_loop(bool loop) {
  const int on = loop;
  if (is_v6()) {
    set_option(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, on, "IPV6_MULTICAST_LOOP");
  } else {
    set_option(IPPROTO_IP, IP_MULTICAST_LOOP, on, "IP_MULTICAST_LOOP");
  }
}

void DatagramSocket::set_ttl(int ttl) {
  if (is_v6()) {
    set_option(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, "IPV6_UNICAST_HOPS");
  } else {
    set_option(IPPROTO_IP, IP_TTL, ttl, "IP_TTL");
  }
}

void DatagramSocket::set_broadcast(bool allow) {
  set_option(SOL_SOCKET, SO_BROADCAST, int{allow}, "SO_BROADCAST");
}

uint64_t DatagramSocket::dropped() const {
  check_open();
  std::array<uint32_t, SK_MEMINFO_VARS> info = {};
  socklen_t size = sizeof(info);
  if (getsockopt(IoNode::fd, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) {
    throw_os_error(errno, "getsockopt SO_MEMINFO");
  }
  return info[SK_MEMINFO_DROPS];
}

SocketAddress DatagramSocket::sockname() const {
  check_open();
  return SocketAddress::local_of(IoNode::fd);
}

}  // namespace asyncio::internal
