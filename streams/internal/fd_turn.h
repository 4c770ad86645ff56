// FdTurn: a place in the line of those who wait until a descriptor is ready.
// For operations that are tried first, and waited for where they would block:
//
//   FdTurn turn(fd, FdSide::kRead);
//   for (;;) {
//     if (std::optional<std::string> data = try_recv(fd)) co_return *data;
//     co_await turn.ready();
//   }
//
// Order: first come, first served: only the foremost is woken, and keeps its
// place, also where it looked in vain, until its FdTurn is destroyed.
// Cancellation: at once. Nothing was read or written meanwhile; the kernel says
// again that the descriptor is ready, to the next in the line.
// Errors: a hang-up or an error makes it ready. OSError where the kernel cannot
// watch it: a regular file.
// Lifetime: the descriptor stays open, and no transport uses it. The turn lives
// in the frame that awaits it.
// Cost: two system calls for a wait; while nobody waits the kernel watches
// nothing, so that the number can be closed and used again.
#ifndef ASYNCIO_STREAMS_INTERNAL_FD_TURN_H_
#define ASYNCIO_STREAMS_INTERNAL_FD_TURN_H_

#include <coroutine>
#include <cstdint>

#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class FdLine;

enum class FdSide : uint8_t { kRead, kWrite };

class FdTurn final : public Waiter {
 public:
  FdTurn(int fd, FdSide side) : Waiter(kKind), fd_(fd), side_(side) {}
  ~FdTurn() {
    if (line_ != nullptr) leave();
  }

  class ReadyAwaiter : public LibraryAwaiter {
   public:
    explicit ReadyAwaiter(FdTurn& turn) : turn_(turn) {}
    bool await_ready() const { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> caller) const {
      turn_.suspend(caller.promise());
    }
    void await_resume() const { step.task->check_cancelled(); }

   private:
    FdTurn& turn_;
  };
  // -> void
  ReadyAwaiter ready() { return ReadyAwaiter(*this); }

 private:
  friend class FdLine;
  void suspend(PromiseBase& caller);
  void leave() noexcept;

  static const WaiterKind kKind;
  const int fd_;
  const FdSide side_;
  FdLine* line_ = nullptr;  // null until it has waited
  FdTurn* prev_;
  FdTurn* next_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_FD_TURN_H_
