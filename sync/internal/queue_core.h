// QueueCore: everything of a queue that does not depend on what is in it: its
// size, who waits to put, to get, to see it finished.
#ifndef ASYNCIO_SYNC_INTERNAL_QUEUE_CORE_H_
#define ASYNCIO_SYNC_INTERNAL_QUEUE_CORE_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/base/attributes.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/frame_hook.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class JoinAwaiter;
class JoinRequest;

// What a task wants of a queue, and what is therefore in its way.
enum class QueueSide : uint8_t {
  kGet,  // that it is empty
  kPut,  // that it is full
};

// Who waits at one side. Where nobody does, the next items cost one look at a flag.
class QueueLine {
 public:
  void park(WaitNode& node, const WaiterKind& kind, PromiseBase& leaf) {
    may_wait_ = true;
    tasks_.park(node, kind, leaf);
  }
  void wake_next() {
    if (may_wait_ && !tasks_.wake_next()) [[unlikely]] may_wait_ = false;
  }
  void wake_all() { tasks_.wake_all(); }

 private:
  WaitQueue tasks_;
  bool may_wait_ = false;  // false: nobody does who was not woken
};

class QueueCore {
 public:
  explicit QueueCore(ptrdiff_t maxsize)
      : limit_(maxsize > 0 ? static_cast<size_t>(maxsize)
                           : std::numeric_limits<size_t>::max()),
        room_(limit_),
        maxsize_(maxsize) {}
  QueueCore(const QueueCore&) = delete;
  QueueCore& operator=(const QueueCore&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ >= limit_; }
  ptrdiff_t maxsize() const { return maxsize_; }

  void task_done();
  JoinRequest join();

  // QueueShutDown where it is shut down, QueueFull.
  void check_put() const {
    if (size_ >= room_) [[unlikely]] refuse_put();
  }
  // QueueEmpty; QueueShutDown where it is shut down and empty.
  void check_get() const {
    if (empty()) [[unlikely]] refuse_get();
  }
  // An item was added, or taken: whoever waited for that is woken.
  void added() {
    ++size_;
    ++unfinished_;
    getters_.wake_next();
  }
  void taken() {
    --size_;
    putters_.wake_next();
  }

  // No item comes in from here on.
  void shut_down() {
    shut_down_ = true;
    room_ = 0;
  }
  // An item was thrown away.
  void dropped();
  // Everybody looks again.
  void wake_everybody();

 private:
  friend class JoinAwaiter;
  template <QueueSide kSide>
  friend class QueueWait;
  template <class Q>
  friend class GetAwaiter;
  template <class Q, class... Args>
  friend class PutAwaiter;

  QueueLine& line(QueueSide side) {
    return side == QueueSide::kGet ? getters_ : putters_;
  }
  // Whether a task has to wait for its turn at `side`.
  bool blocked(QueueSide side) const {
    return (side == QueueSide::kGet ? empty() : size_ >= room_) &&
           !shut_down_;
  }
  bool ready(QueueSide side) {
    if (!blocked(side)) return true;
    binding_.check("Queue");
    return false;
  }
  [[noreturn]] void refuse_put() const;
  [[noreturn]] void refuse_get() const;

  size_t size_ = 0;
  const size_t limit_;
  size_t room_;  // limit_; 0 once it is shut down
  const ptrdiff_t maxsize_;
  size_t unfinished_ = 0;  // items put for which task_done() was not called
  bool shut_down_ = false;
  QueueLine getters_;
  QueueLine putters_;
  WaitQueue joiners_;
  LoopBinding binding_;
  LoopBinding join_binding_;
};

// A task's wait for its turn. Woken, it looks whether the turn is still its
// own: another may have been faster, and then it goes to the end of the line.
// It is a hook, as an awaiter cannot suspend its frame twice in one co_await.
template <QueueSide kSide>
class QueueWait final : private FrameHook {
 public:
  QueueWait(QueueCore& queue, PromiseBase& caller)
      : FrameHook(kFunctions, kPlace), queue_(queue) {
    promise().set_caller(&caller);
    queue.line(kSide).park(node_, kKind, promise());
  }
  ~QueueWait() {
    if (node_.waits()) [[unlikely]] give_up();
  }
  // In the resumed task. Throws CancelledError where it was cancelled,
  // RuntimeError where the queue is gone.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void finish() {
    if (failed_) [[unlikely]] throw_failed_wait(kKind);
  }

 private:
  static void resumed(FrameHook* hook);
  void pass_on();
  void give_up() noexcept;

  static constexpr Functions kFunctions{&QueueWait::resumed};
  static const WaiterKind kKind;
  static const SourceLocation kPlace;  // what a task's stack shows for the wait

  QueueCore& queue_;
  bool failed_ = false;
  WaitNode node_;
};
using GetWait = QueueWait<QueueSide::kGet>;
using PutWait = QueueWait<QueueSide::kPut>;
template <>
const WaiterKind GetWait::kKind;
template <>
const WaiterKind PutWait::kKind;
template <>
const SourceLocation GetWait::kPlace;
template <>
const SourceLocation PutWait::kPlace;

// Q is a queue: a QueueCore with get_nowait() and emplace_nowait().
template <class Q>
class GetAwaiter final : public LibraryAwaiter {
 public:
  explicit GetAwaiter(Q& queue) : queue_(queue) {}
  GetAwaiter(const GetAwaiter&) = delete;
  GetAwaiter& operator=(const GetAwaiter&) = delete;

  bool await_ready() { return queue_.core_.ready(QueueSide::kGet); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    wait_.emplace(queue_.core_, caller.promise());
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE typename Q::value_type await_resume() {
    if (wait_) wait_->finish();
    return queue_.get_nowait();
  }

 private:
  Q& queue_;
  std::optional<GetWait> wait_;
};

template <class Q>
class [[nodiscard]] GetRequest {
 public:
  explicit GetRequest(Q& queue) : queue_(&queue) {}
  GetAwaiter<Q> operator co_await() const { return GetAwaiter<Q>(*queue_); }

 private:
  Q* queue_;
};

class JoinAwaiter final : public LibraryAwaiter {
 public:
  explicit JoinAwaiter(QueueCore& queue) : queue_(queue) {}
  JoinAwaiter(const JoinAwaiter&) = delete;
  JoinAwaiter& operator=(const JoinAwaiter&) = delete;

  bool await_ready();
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }
  void await_resume();

 private:
  void suspend(PromiseBase& caller);

  QueueCore& queue_;
  WaitNode node_;
};

class [[nodiscard]] JoinRequest {
 public:
  explicit JoinRequest(QueueCore& queue) : queue_(&queue) {}
  JoinAwaiter operator co_await() const { return JoinAwaiter(*queue_); }

 private:
  QueueCore* queue_;
};

inline JoinRequest QueueCore::join() { return JoinRequest(*this); }

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_QUEUE_CORE_H_
