// ConcurrentState: what the handles of one ConcurrentFuture share.
#ifndef ASYNCIO_TASK_INTERNAL_CONCURRENT_STATE_H_
#define ASYNCIO_TASK_INTERNAL_CONCURRENT_STATE_H_

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"

namespace asyncio::internal {

class ThreadCall;

// The part that does not depend on the type. Threads: all of it.
class ConcurrentStateBase {
 public:
  // `loop` is what will end it, where that is known.
  explicit ConcurrentStateBase(const EventLoop* loop) : loop_(loop) {}

  bool done() const;
  bool cancelled() const;
  // Blocks until it is done. TimeoutError.
  void wait(std::optional<Duration> timeout);
  // False where it ended otherwise before.
  bool cancel();
  // Called once it is done, in whatever thread that happens; now if it is.
  void add_callback(absl::AnyInvocable<void()> fn);
  // Requires done(); null where there is a value. A CancelledError where it was
  // cancelled.
  std::exception_ptr failure() const;

  // Both do nothing where it is done already.
  void fail(std::exception_ptr exception);
  void fail_cancelled(std::exception_ptr exception);

 protected:
  ~ConcurrentStateBase() = default;
  // Calls `store` and ends. Where it throws, that is how it ends.
  void end_with(absl::AnyInvocable<void()> store);

 private:
  enum State : unsigned char { kPending, kFinished, kFailed, kCancelled };
  void end(State state, std::unique_lock<std::mutex> lock);

  const EventLoop* const loop_;  // to compare alone
  mutable std::mutex mutex_;     // guards the rest
  std::condition_variable ended_;
  State state_ = kPending;
  std::exception_ptr exception_;
  std::vector<absl::AnyInvocable<void()>> callbacks_;
  // The calls of waiting threads, to be resumed before the loop may go on.
  std::vector<ThreadCall*> paused_;
};

template <class T>
class ConcurrentState final : public ConcurrentStateBase {
 public:
  using ConcurrentStateBase::ConcurrentStateBase;

  template <class... U>
  void finish(U&&... value) {
    end_with([&] {
      if constexpr (std::is_reference_v<T>) {
        (value_.emplace(std::addressof(value)), ...);
      } else {
        value_.emplace(std::forward<U>(value)...);
      }
    });
  }
  // Requires done() and no failure().
  auto& value() {
    if constexpr (std::is_reference_v<T>) {
      return **value_;
    } else {
      return *value_;
    }
  }

 private:
  using Stored =
      std::conditional_t<std::is_void_v<T>, std::monostate,
                         std::conditional_t<std::is_reference_v<T>,
                                            std::remove_reference_t<T>*, T>>;
  std::optional<Stored> value_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_CONCURRENT_STATE_H_
