// timeout: limits the time that a body of code may take.
//
//   co_await with(timeout(10s), [&]() -> Coroutine<> { co_await download(); });
//
//   Timeout limit = timeout(10s);
//   co_await with(limit, [&]() -> Coroutine<> {
//     Request request = co_await read_request();
//     limit.reschedule(get_running_loop().time() + request.patience);
//     co_await answer(request);
//   });
//   if (limit.expired()) ...    // the body took it and ended well
//
// When the time is up the task is cancelled, once; the CancelledError that
// leaves the body then becomes TimeoutError. A body that swallows it goes on,
// and throws no TimeoutError. The limit of one await alone: wait_for().
//
// Order: a deadline that has passed cancels the body at its first await.
// Cancellation: one from elsewhere passes as it is, also where it comes
// together with the end of the time.
// Lifetime: one Timeout serves one `with`. It may be moved until then.
// Cost: one block from the pool while it is armed.
#ifndef ASYNCIO_TASK_TIMEOUT_H_
#define ASYNCIO_TASK_TIMEOUT_H_

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

namespace internal {
class TimeoutTimer;
}  // namespace internal

class Timeout {
 public:
  // Empty: no limit.
  explicit Timeout(std::optional<TimePoint> when) : when_(when) {}
  // RuntimeError where it is in use: its body may be cancelled through it.
  Timeout(Timeout&& other);
  Timeout& operator=(Timeout&&) = delete;
  ~Timeout() { disarm(); }

  // The deadline.
  std::optional<TimePoint> when() const { return when_; }
  // Moves the deadline; one that has passed cancels in the loop's next turn.
  // RuntimeError before the body was entered, and once the time was up or the
  // body was left.
  void reschedule(std::optional<TimePoint> when);
  // Whether the time was up before the body was left.
  bool expired() const { return state_ == kExpiring || state_ == kExpired; }

  // --- For `with`.

  class Enter : public internal::LibraryAwaiter {
   public:
    explicit Enter(Timeout& timeout) : timeout_(timeout) {}
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    void await_resume() const { timeout_.enter(); }

   private:
    Timeout& timeout_;
  };
  class Exit : public internal::LibraryAwaiter {
   public:
    Exit(Timeout& timeout, std::exception_ptr exception)
        : timeout_(timeout), exception_(std::move(exception)) {}
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    bool await_resume() const { return timeout_.exit(exception_); }

   private:
    Timeout& timeout_;
    std::exception_ptr exception_;
  };
  Enter aenter() { return Enter(*this); }
  Exit aexit(std::exception_ptr exception) {
    return Exit(*this, std::move(exception));
  }

  // The same without an await, in the task's own step. exit() throws
  // TimeoutError in the place of `exception`, else it returns false.
  void enter();
  bool exit(const std::exception_ptr& exception);

 private:
  friend class internal::TimeoutTimer;
  enum State : uint8_t { kCreated, kEntered, kExpiring, kExpired, kExited };

  void disarm() noexcept;
  void expire();

  std::optional<TimePoint> when_;
  State state_ = kCreated;
  int cancels_at_entry_ = 0;
  internal::Ref<internal::TaskCore> task_;   // while entered
  internal::TimeoutTimer* timer_ = nullptr;  // while armed
};

// `delay` from now, which must be in a running loop; empty: no limit.
Timeout timeout(std::optional<Duration> delay);
// At a moment of the loop's clock; empty: no limit.
Timeout timeout_at(std::optional<TimePoint> when);

}  // namespace asyncio

#endif  // ASYNCIO_TASK_TIMEOUT_H_
