// What put() and emplace() of a queue return. They own the item, or what it is
// to be made of, until there is room.
#ifndef ASYNCIO_SYNC_INTERNAL_PUT_REQUEST_H_
#define ASYNCIO_SYNC_INTERNAL_PUT_REQUEST_H_

#include <coroutine>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/sync/internal/queue_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

// Q is a queue: a QueueCore with emplace_nowait().
template <class Q, class... Args>
class PutAwaiter final : public LibraryAwaiter {
 public:
  PutAwaiter(Q& queue, std::tuple<Args...>&& args)
      : queue_(queue), args_(std::move(args)) {}
  PutAwaiter(const PutAwaiter&) = delete;
  PutAwaiter& operator=(const PutAwaiter&) = delete;

  bool await_ready() { return queue_.core_.ready(QueueSide::kPut); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    wait_.emplace(queue_.core_, caller.promise());
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void await_resume() {
    if (wait_) wait_->finish();
    std::apply(
        [this](Args&... args) { queue_.emplace_nowait(std::move(args)...); },
        args_);
  }

 private:
  Q& queue_;
  std::tuple<Args...> args_;
  std::optional<PutWait> wait_;
};

template <class Q, class... Args>
class [[nodiscard]] PutRequest {
 public:
  template <class... A>
  explicit PutRequest(Q& queue, A&&... args)
      : queue_(&queue), args_(std::forward<A>(args)...) {}

  // Takes the item over: it is put once.
  PutAwaiter<Q, Args...> operator co_await() {
    return PutAwaiter<Q, Args...>(*queue_, std::move(args_));
  }

 private:
  Q* queue_;
  std::tuple<Args...> args_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_PUT_REQUEST_H_
