// ForeignAwaiter: lets a task await what knows nothing of tasks.
//
// The awaiter from elsewhere is given a coroutine handle of its own kind: two
// function pointers, which is what every compiler's coroutine_handle resumes
// through. Resuming it, from whatever thread, makes the task ready in its loop.
//
// Cancellation: nobody can stop what is awaited; CancelledError is thrown when it
// resumes, and its result is dropped.
#ifndef ASYNCIO_TASK_INTERNAL_FOREIGN_AWAITER_H_
#define ASYNCIO_TASK_INTERNAL_FOREIGN_AWAITER_H_

#include <coroutine>
#include <string_view>
#include <type_traits>
#include <utility>

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// The part that does not depend on the awaiter.
class ForeignWait : public LibraryAwaiter, public Waiter, private ReadyNode {
 public:
  ForeignWait();

 protected:
  ~ForeignWait() = default;

  // What the awaiter from elsewhere is to resume.
  std::coroutine_handle<> proxy() {
    return std::coroutine_handle<>::from_address(&frame_);
  }
  void begin(PromiseBase& promise);
  void undo();
  void check_cancelled();

 private:
  // The head of every coroutine frame.
  struct Frame {
    void (*resume)(void*);
    void (*destroy)(void*);
    ForeignWait* self;
  };
  static void resumed(void* frame);
  void run() override;
  void drop() noexcept override {}

  static const WaiterKind kKind;
  Frame frame_;
  PromiseBase* resumed_ = nullptr;  // before begin()
};

template <class W>
class ForeignAwaiter final : public ForeignWait {
  using Inner = std::remove_reference_t<W>;

 public:
  template <class A>
  explicit ForeignAwaiter(A&& awaitable)
      : inner_(awaiter_of(std::forward<A>(awaitable))) {}

  bool await_ready() { return inner_.await_ready() ? true : false; }

  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    using R = decltype(inner_.await_suspend(std::coroutine_handle<>()));
    begin(caller.promise());
    try {
      if constexpr (std::is_void_v<R>) {
        inner_.await_suspend(proxy());
      } else if constexpr (std::is_same_v<R, bool>) {
        if (!inner_.await_suspend(proxy())) {
          undo();
          return false;
        }
      } else {
        inner_.await_suspend(proxy()).resume();
      }
    } catch (...) {
      undo();
      throw;
    }
    return true;
  }

  decltype(auto) await_resume() {
    check_cancelled();
    return inner_.await_resume();
  }

 private:
  W inner_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FOREIGN_AWAITER_H_
