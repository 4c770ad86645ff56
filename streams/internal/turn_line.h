// TurnLine: those who wait until something is ready: a side of a descriptor.
// For operations that are tried first, and waited for where they would block:
//
//   Turn turn;
//   for (;;) {
//     if (std::optional<Datagram> datagram = try_recv()) co_return *datagram;
//     co_await turn.in(line);
//   }
//
// Order: first come, first served: only the foremost is woken, and keeps its
// place, also where it looked in vain, until its Turn is destroyed.
// Cancellation: at once. Whoever wakes the line does so as long as it is ready,
// so that it comes to the next.
// Lifetime: a Turn lives in the frame that awaits it. A line that is destroyed
// first lets go of its turns, which are not woken any more.
// Cost: no allocation, O(1).
#ifndef ASYNCIO_STREAMS_INTERNAL_TURN_LINE_H_
#define ASYNCIO_STREAMS_INTERNAL_TURN_LINE_H_

#include <coroutine>

#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class TurnLine;

class Turn final : public Waiter {
 public:
  Turn() : Waiter(kKind) {}
  ~Turn() {
    if (line_ != nullptr) leave();
  }

  class Awaiter : public LibraryAwaiter {
   public:
    Awaiter(Turn& turn, TurnLine& line) : turn_(turn), line_(line) {}
    bool await_ready() const { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> caller) const {
      turn_.wait(line_, caller.promise());
    }
    void await_resume() const { step_task()->check_cancelled(); }

   private:
    Turn& turn_;
    TurnLine& line_;
  };
  // -> void. The same line each time.
  Awaiter in(TurnLine& line) { return Awaiter(*this, line); }

 private:
  friend class TurnLine;
  void wait(TurnLine& line, PromiseBase& caller);
  void leave() noexcept;

  static const WaiterKind kKind;
  TurnLine* line_ = nullptr;  // null until it has waited
  Turn* prev_;
  Turn* next_;
};

class TurnLine {
 public:
  TurnLine() = default;
  TurnLine(const TurnLine&) = delete;
  TurnLine& operator=(const TurnLine&) = delete;

  bool empty() const { return first_ == nullptr; }

  // It is ready. Where the foremost has been woken or cancelled already, its
  // turn comes, and then that of the next.
  void wake() {
    if (first_ != nullptr) first_->task()->wake();
  }
  // It will never be ready.
  void wake_all();

 protected:
  ~TurnLine() {
    while (first_ != nullptr) unlink(*first_);
  }

 private:
  friend class Turn;
  void append(Turn& turn);
  void unlink(Turn& turn) noexcept;
  // The last has left; the line may end its life.
  virtual void emptied() noexcept = 0;

  Turn* first_ = nullptr;
  Turn* last_ = nullptr;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_TURN_LINE_H_
