// Child: one child process of a loop. The loop watches its pidfd, reaps it when
// it has ended, and wakes who waits for that.
//
// A pidfd names the process, not its number: no signal can hit another process
// that was given the number, no handler of SIGCHLD is needed, and each loop of
// each thread knows its own children alone.
//
// Lifetime: the loop holds a share of each child that it has not reaped. What
// is left when the loop is closed is killed and reaped there: no zombie is
// left. Threads: the loop's alone.
#ifndef ASYNCIO_SUBPROCESS_INTERNAL_CHILD_H_
#define ASYNCIO_SUBPROCESS_INTERNAL_CHILD_H_

#include <coroutine>
#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <utility>

#include "absl/container/flat_hash_set.h"

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/subprocess/internal/spawn.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class Child {
 public:
  // Starts what `request` says; `loop`, the running one, watches it.
  static Ref<Child> start(EventLoop& loop, const SpawnRequest& request);

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // The exit code, or the negative number of the signal that ended it; empty
  // until the loop has seen its end.
  std::optional<int> returncode() const { return returncode_; }

  // ProcessLookupError where its end has been seen; before that, a signal to
  // one that has just ended is lost. OSError where the kernel refuses.
  void send_signal(int sig);
  // SIGKILL to it, to its descendants, and to its process group where it was
  // started as the leader of one. ProcessLookupError as above.
  void kill_tree();
  // Nobody is interested any more: kills it where it runs. The loop reaps it.
  void abandon() noexcept;

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 private:
  friend class ChildDomain;
  friend class ExitAwaiter;

  Child(EventLoop& loop, SpawnedChild spawned, bool leads_group);
  ~Child() = default;

  void check_running(int sig) const;
  // Takes its status where it has ended, and ends the watch.
  void reap();
  void finish(int returncode);
  void reap_now() noexcept;

  EventLoop* loop_;  // null once it is reaped
  const pid_t pid_;
  FileDescriptor pidfd_;
  const bool leads_group_;
  std::optional<int> returncode_;
  WaitQueue waiters_;
  uint32_t references_ = 1;
};

// The children of one loop that it has not reaped.
class ChildDomain final : public LoopAttachment {
 public:
  static ChildDomain& of(EventLoop& loop);

  void add(Child& child) { children_.insert(&child); }
  void remove(Child& child) { children_.erase(&child); }

  void loop_closed() override;
  void loop_destroyed() override { loop_closed(); }

 private:
  absl::flat_hash_set<Child*> children_;  // a share of each
};

// `co_await` for the end of a child: gives its return code.
class ExitAwaiter final : public LibraryAwaiter {
 public:
  explicit ExitAwaiter(Ref<Child> child) : child_(std::move(child)) {}
  ExitAwaiter(const ExitAwaiter&) = delete;
  ExitAwaiter& operator=(const ExitAwaiter&) = delete;

  bool await_ready() const;
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }
  int await_resume();

 private:
  void suspend(PromiseBase& promise);

  static const WaiterKind kKind;
  Ref<Child> child_;
  WaitNode node_;
};

// What Process::wait() gives.
class [[nodiscard]] ExitRequest {
 public:
  explicit ExitRequest(Ref<Child> child) : child_(std::move(child)) {}
  ExitAwaiter operator co_await() const { return ExitAwaiter(child_); }

 private:
  Ref<Child> child_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SUBPROCESS_INTERNAL_CHILD_H_
