// What acquire(), scoped_acquire(), aenter() and aexit() of the primitives
// return: small objects that name the primitive, to be awaited or made a task.
#ifndef ASYNCIO_SYNC_INTERNAL_ACQUIRE_H_
#define ASYNCIO_SYNC_INTERNAL_ACQUIRE_H_

#include <coroutine>
#include <type_traits>

#include "absl/base/attributes.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// Awaits M::acquire. M has
//   bool try_acquire()              takes it where nobody is to be waited for;
//   void prepare_wait()             throws where this task cannot wait in it;
//   WaitQueue& wait_queue()
//   void take_turn()                in the resumed task, which was woken: has it;
//   static void give_up(M&, WaitNode&)
//                                   leaves, where the task was cancelled, the frame
//                                   is destroyed in the wait or M is gone: what it
//                                   was given goes on. M is not to be touched where
//                                   leave() says that it is gone.
// The node is made when there is something to wait for.
template <class M, class R>
class AcquireAwaiter final : public LibraryAwaiter {
 public:
  explicit AcquireAwaiter(M& primitive) : primitive_(primitive) {}
  AcquireAwaiter(const AcquireAwaiter&) = delete;
  AcquireAwaiter& operator=(const AcquireAwaiter&) = delete;
  ABSL_ATTRIBUTE_ALWAYS_INLINE ~AcquireAwaiter() {
    if (node_.waits()) [[unlikely]] {
      M::give_up(primitive_, node_);
      // It left: the node's destructor need not ask again.
      if (node_.waits()) __builtin_unreachable();
    }
  }

  bool await_ready() {
    if (primitive_.try_acquire()) [[likely]] return true;
    primitive_.prepare_wait();
    return false;
  }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    primitive_.wait_queue().park(node_, M::kKind, caller.promise());
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE R await_resume() {
    if (node_.leave_woken()) {
      primitive_.take_turn();
    } else if (node_.waits()) [[unlikely]] {
      M::give_up(primitive_, node_);
      throw_failed_wait(M::kKind);
    }
    if constexpr (std::is_same_v<R, bool>) {
      return true;
    } else if constexpr (!std::is_void_v<R>) {
      return R(primitive_);
    }
  }

 private:
  M& primitive_;
  WaitNode node_;
};

template <class M, class R>
class [[nodiscard]] AcquireRequest {
 public:
  explicit AcquireRequest(M& primitive) : primitive_(&primitive) {}
  AcquireAwaiter<M, R> operator co_await() const {
    return AcquireAwaiter<M, R>(*primitive_);
  }

 private:
  M* primitive_;
};

// aexit() of what is released without waiting; swallows nothing.
template <class M>
class [[nodiscard]] ReleaseRequest : public LibraryAwaiter {
 public:
  explicit ReleaseRequest(M& primitive) : primitive_(&primitive) {}
  bool await_ready() const { return true; }
  void await_suspend(std::coroutine_handle<>) const {}
  bool await_resume() const {
    primitive_->release();
    return false;
  }

 private:
  M* primitive_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_ACQUIRE_H_
