// FdReady: waits until a descriptor is readable or writable.
//
//   co_await FdReady(loop, fd, kIoWrite);
//
// Cancellation: at once.
// Cost: no allocation; the watch begins and ends with the wait.
#ifndef ASYNCIO_STREAMS_INTERNAL_FD_READY_H_
#define ASYNCIO_STREAMS_INTERNAL_FD_READY_H_

#include <coroutine>
#include <cstdint>
#include <string_view>

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class FdReadyAwaiter final : public LibraryAwaiter,
                             public Waiter,
                             private IoNode {
 public:
  FdReadyAwaiter(EventLoop& loop, int fd, int32_t events)
      : Waiter(kKind), IoNode(fd), loop_(loop), events_(events) {}
  ~FdReadyAwaiter() { unwatch(); }

  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }
  void await_resume();

 private:
  static bool cancel(Waiter& waiter, std::string_view message);
  void suspend(PromiseBase& promise);
  void run() override;
  void drop() noexcept override {}
  void unwatch() noexcept;

  static const WaiterKind kKind;
  EventLoop& loop_;
  const int32_t events_;
};

class [[nodiscard]] FdReady {
 public:
  FdReady(EventLoop& loop, int fd, int32_t events)
      : loop_(loop), fd_(fd), events_(events) {}
  FdReadyAwaiter operator co_await() const {
    return FdReadyAwaiter(loop_, fd_, events_);
  }

 private:
  EventLoop& loop_;
  int fd_;
  int32_t events_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_FD_READY_H_
