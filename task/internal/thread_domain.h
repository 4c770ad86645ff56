// What a loop has to do with other threads: the calls that it has under way on
// them, the ways by which they reach its futures, its default executor.
//
// The count of a future's handles belongs to its loop's thread. So other
// threads never hold one: what passes between is in a ThreadCall or a LoopLink,
// each with a mutex that says whether the loop is still there. The loop's
// ThreadDomain lists them and cuts them off when the loop is destroyed.
#ifndef ASYNCIO_TASK_INTERNAL_THREAD_DOMAIN_H_
#define ASYNCIO_TASK_INTERNAL_THREAD_DOMAIN_H_

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {

class ConcurrentStateBase;

// A place in a loop's list of one of the two.
struct ThreadListNode {
  ThreadListNode* prev = nullptr;
  ThreadListNode* next = nullptr;

  void unlink() {
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }
};

// A call under way on another thread, for a future of a loop.
class ThreadCall : public Executor::Work,
                   public ReadyNode,
                   public DoneLink,
                   public ThreadListNode,
                   public std::enable_shared_from_this<ThreadCall> {
 public:
  ThreadCall(EventLoop& loop, Ref<FutureCore> future)
      : loop_(loop), future_(std::move(future)) {}

  // Hands it to `executor`, or to the loop's default one where it is null. The
  // loop's thread.
  void start(Executor* executor);

  // The call that this thread is making, or null.
  static ThreadCall* current();
  // The caller waits for something that `loop` is to do, from here to resume():
  // a virtual clock need not wait for the caller meanwhile. False, and nothing
  // to resume, where the call is for another loop. Any thread.
  bool pause(const EventLoop* loop);
  void resume();

 protected:
  // The worker's thread: makes the call, keeps how it ended, and destroys the
  // callable.
  virtual void invoke() noexcept = 0;
  // The loop's thread: hands that to the future, which is pending; cancels it
  // where the call was never made.
  virtual void deliver(FutureCore& future) = 0;
  // The loop's thread, after it all: destroys what is left, which a thread that
  // is slow to drop its share must not do.
  virtual void forget() noexcept = 0;

 private:
  friend class ThreadDomain;
  void call() noexcept final;
  void discarded() noexcept final { ended(); }
  void on_done(FutureCore& future) noexcept final;
  void run() final;
  void drop() noexcept final;

  // Tells the loop, where it still is. Once, in whatever thread.
  void ended() noexcept;
  // The loop's thread: takes it out of all lists.
  std::shared_ptr<ThreadCall> leave(Ref<FutureCore>& future) noexcept;
  void let_clock_go();

  EventLoop& loop_;
  // The loop's thread alone, as is its place in the future's list.
  Ref<FutureCore> future_;
  // From start() until the loop has dealt with its end.
  std::shared_ptr<ThreadCall> self_;

  std::mutex mutex_;  // guards the rest
  bool cut_off_ = false;
  bool posted_ = false;
  bool holds_clock_ = false;
  bool cancelled_ = false;
};

// The way from other threads to a future of a loop, open for as long as there
// is one.
class LoopLink : public ThreadListNode {
 public:
  // `state` is cancelled where the loop is closed before the link is cut.
  explicit LoopLink(std::shared_ptr<ConcurrentStateBase> state = nullptr)
      : state_(std::move(state)) {}

  // --- The loop's thread.
  void open(EventLoop& loop, FutureCore& core);
  void cut() noexcept;
  // Null unless it is open.
  FutureCore* core() const { return core_; }

  // --- Any thread.
  // Runs `fn` in the loop where the link is open; drops it otherwise.
  void post(absl::AnyInvocable<void()> fn);

 private:
  friend class ThreadDomain;
  FutureCore* core_ = nullptr;
  std::shared_ptr<ConcurrentStateBase> state_;
  std::mutex mutex_;
  EventLoop* loop_ = nullptr;  // while it is open; guarded by mutex_
};

// Cuts a link where it ends its own life, in the loop's thread: in a callback
// of the future that the link leads to. Where that never happens, the loop's
// end does it.
class LoopLinkEnd {
 public:
  explicit LoopLinkEnd(std::shared_ptr<LoopLink> link)
      : link_(std::move(link)) {}
  LoopLinkEnd(LoopLinkEnd&&) = default;
  LoopLinkEnd& operator=(LoopLinkEnd&&) = delete;
  ~LoopLinkEnd() {
    if (link_) link_->cut();
  }

 private:
  std::shared_ptr<LoopLink> link_;
};

// The loop's thread.
class ThreadDomain final : public LoopAttachment {
 public:
  static ThreadDomain& of(EventLoop& loop);

  ThreadDomain();
  void add(ThreadCall& call) { append(calls_, call); }
  void add(LoopLink& link) { append(links_, link); }

  void loop_closed() override;
  // Cuts everything off, then waits for the default executor's threads.
  void loop_destroyed() override;

  // The default executor is the last; before it, those that it replaced, whose
  // calls may be under way.
  std::vector<std::shared_ptr<Executor>> executors;
  bool has_default = false;
  bool shutdown_called = false;

 private:
  static void append(ThreadListNode& list, ThreadListNode& node);

  // Rings, in the order of registration.
  ThreadListNode calls_;
  ThreadListNode links_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_THREAD_DOMAIN_H_
