#include "asyncio/streams/internal/server_state.h"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/base/macros.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"

namespace asyncio::internal {
namespace {

constexpr Duration kAcceptRetryDelay = std::chrono::seconds(1);

}  // namespace

// --- Listener

Listener::Listener(ServerState& server, int fd, std::string file)
    : IoNode(fd),
      server_(server),
      address_(SocketAddress::local_of(fd)),
      file_(std::move(file)) {
  struct stat status;
  if (!file_.empty() && stat(file_.c_str(), &status) == 0) {
    file_device_ = status.st_dev;
    file_inode_ = status.st_ino;
  }
  enter(DescriptorDomain::of(server.loop()), fd);
}

void Listener::start() {
  if (listen(fd(), server_.backlog_) != 0) {
    throw_os_error(errno, "listen on " + address_.to_string());
  }
  LoopAccess::set_interest(server_.loop(), *this, kIoRead);
}

void Listener::close() noexcept {
  if (!std::exchange(open_, false)) return;
  leave();
  if (retrying_) retry_.cancel();
  LoopAccess::set_interest(server_.loop(), *this, kIoNone);
  LoopAccess::system(server_.loop()).close(fd());
  remove_file();
  if (queued()) {
    // Its turn is still to come: it must be there then.
    keeps_server_ = true;
    server_.retain();
  }
}

std::string Listener::describe() const {
  return "<Server socket fd=" + std::to_string(fd()) + ">";
}

void Listener::drop() noexcept {
  if (std::exchange(keeps_server_, false)) server_.release();
}

void Listener::remove_file() noexcept {
  if (file_inode_ == 0) return;
  struct stat status;
  if (stat(file_.c_str(), &status) == 0 && status.st_dev == file_device_ &&
      status.st_ino == file_inode_) {
    unlink(file_.c_str());
  }
}

void Listener::run() {
  const bool due = (std::exchange(result, 0) & interest & kIoRead) != 0;
  if (!due) {
    drop();
    return;
  }
  // A callback may close the server, which is kept until this returns.
  Ref<ServerState> server(&server_);
  ContextScope scope(server->context_);
  try {
    for (int i = 0; i <= server->backlog_ && open_ && !retrying_; ++i) {
      if (!accept()) break;
    }
  } catch (...) {
    server->call_back_later();
    throw;
  }
  server->call_back();
}

bool Listener::accept() {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  const int accepted =
      LoopAccess::system(server_.loop()).accept(fd(), address, &size);
  if (accepted < 0) {
    accept_failed(-accepted);
    return false;
  }
  server_.accepted(accepted, SocketAddress::from_sockaddr(address, size));
  return true;
}

void Listener::accept_failed(int error) {
  switch (error) {
    case EAGAIN:
    case EINTR:
    // The network's errors of that one connection, see accept(2).
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return;
    default:
      break;
  }
  // The connection stays in the kernel's queue: asked again at once, it would
  // fail again.
  LoopAccess::set_interest(server_.loop(), *this, kIoNone);
  retrying_ = true;
  retry_ = server_.loop().call_later(kAcceptRetryDelay, [this] {
    retrying_ = false;
    LoopAccess::set_interest(server_.loop(), *this, kIoRead);
  });
  server_.loop().call_exception_handler(ExceptionContext(
      "socket.accept() out of system resource",
      make_os_error(error, "accept on " + address_.to_string())));
}

// --- ServerState

ServerState::ServerState(EventLoop& loop, Ref<ClientCallback> callback,
                         size_t limit, int backlog, bool keep_alive)
    : loop_(loop),
      callback_(std::move(callback)),
      limit_(limit),
      backlog_(backlog),
      keep_alive_(keep_alive) {
  LoopAccess::retain(loop);
}

ServerState::~ServerState() {
  // They use the loop.
  listeners_.clear();
  LoopAccess::release(loop_);
}

void ServerState::add_listener(int fd, std::string file) {
  listeners_.push_back(std::make_unique<Listener>(*this, fd, std::move(file)));
}

void ServerState::start_serving() {
  LoopAccess::check_usable(loop_);
  if (serving_) return;
  context_ = ContextSlot::copy_current();
  for (const auto& listener : listeners_) listener->start();
  serving_ = true;
}

void ServerState::close() {
  LoopAccess::check_thread(loop_);
  close_unchecked();
}

void ServerState::close_unchecked() {
  if (!std::exchange(open_, false)) return;
  serving_ = false;
  for (const auto& listener : listeners_) listener->close();
  if (forever_ && !forever_.done()) std::exchange(forever_, Future<>()).cancel();
  wake_if_gone();
}

void ServerState::wake_if_gone() {
  if (!open_ && clients_ == 0) closed_waiters_.wake_all();
}

void ServerState::accepted(int fd, const SocketAddress& peer) {
  if (keep_alive_) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  set_nodelay(fd, peer);
  Ref<Stream> stream;
  try {
    stream = Stream::open(loop_, fd, FdTransport::Kind::kSocket, limit_, peer);
  } catch (...) {
    LoopAccess::system(loop_).close(fd);
    loop_.call_exception_handler(
        ExceptionContext("Error on transport creation for incoming connection",
                         std::current_exception()));
    return;
  }
  retain();
  stream->set_owner(this);
  stream->prev_of_owner = last_;
  (last_ == nullptr ? first_ : last_->next_of_owner) = stream.get();
  last_ = stream.get();
  ++clients_;
  accepted_.push_back(std::move(stream));
}

void ServerState::call_back() {
  ContextScope scope(context_);
  try {
    while (called_back_ < accepted_.size()) {
      call_back_for(std::move(accepted_[called_back_++]));
    }
  } catch (...) {
    call_back_later();
    throw;
  }
  accepted_.clear();
  called_back_ = 0;
}

void ServerState::call_back_later() {
  loop_.call_soon([server = Ref<ServerState>(this)] { server->call_back(); });
}

void ServerState::call_back_for(Ref<Stream> stream) {
  // A copy: what the callback sets no other connection's sees.
  ContextSlot context = ContextSlot::copy_current();
  ContextScope scope(context);
  callback_->connected(std::move(stream));
}

void ServerState::stream_lost(Stream& stream) noexcept {
  (stream.prev_of_owner == nullptr ? first_
                                   : stream.prev_of_owner->next_of_owner) =
      stream.next_of_owner;
  (stream.next_of_owner == nullptr ? last_
                                   : stream.next_of_owner->prev_of_owner) =
      stream.prev_of_owner;
  --clients_;
  wake_if_gone();
  release();
}

// Nobody leaves the list in close() and abort(), but for where the loop is
// closed.
template <class F>
void ServerState::for_each_client(F&& fn) {
  std::vector<Ref<Stream>> streams;
  streams.reserve(clients_);
  for (Stream* s = first_; s != nullptr; s = s->next_of_owner) {
    streams.emplace_back(s);
  }
  for (const Ref<Stream>& stream : streams) fn(*stream->transport());
}

void ServerState::close_clients() {
  LoopAccess::check_thread(loop_);
  for_each_client([](Transport& transport) { transport.close(); });
}

void ServerState::abort_clients() {
  LoopAccess::check_thread(loop_);
  for_each_client([](Transport& transport) { transport.abort(); });
}

}  // namespace asyncio::internal
