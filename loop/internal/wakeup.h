// Wakeup: how other threads and signal handlers turn a loop's attention outside,
// and end its wait.
//
// It outlives every loop: a thread that posted may still be about to write when
// the callback it posted has ended the loop, and a signal handler may be late
// on another thread. A Wakeup that was given back serves the next loop, to
// which such a late write is one look at its inbox too many.
//
// Threads: any, but for called(), take_calls(), prepare_to_sleep() and end_sleep(),
// the loop's.
#ifndef ASYNCIO_LOOP_INTERNAL_WAKEUP_H_
#define ASYNCIO_LOOP_INTERNAL_WAKEUP_H_

#include <atomic>
#include <memory>

namespace asyncio::internal {

// A cache line of its own, as the loop looks at it before each batch.
class alignas(64) Wakeup {
 public:
  struct GiveBack {
    void operator()(Wakeup* wakeup) const noexcept;
  };
  using Lease = std::unique_ptr<Wakeup, GiveBack>;

  // One that no other loop has. Throws the kernel's refusal as OSError.
  static Lease take();

  // An eventfd, never closed: it is readable, edge-triggered, after a notify().
  // Writing to it is what notify() does.
  int fd() const { return fd_; }

  // Of one that is awake: it looks at its inbox and at its signals before it runs
  // the next batch. What it is to see is there before the call. (An exchange, not a
  // store: so what was there before each of many calls is seen by the one look.)
  void call() noexcept { called_.exchange(true, std::memory_order_release); }
  // The same, and ends the wait under way, or the next. Safe in a signal handler.
  void notify() noexcept;

  // Whether it was called since the last take_calls().
  bool called() const { return called_.load(std::memory_order_relaxed); }
  // The same, before it looks: who calls from here on is for the next look. An
  // exchange, so that nothing that is read afterwards can have been read before.
  bool take_calls() { return called() && called_.exchange(false); }

  // For what is told otherwise than through the Inbox, which knows itself whether
  // the loop sleeps. The loop says that it sleeps, looks for the last time, and
  // then waits; the other tells and then calls notify_sleeper(). Both are
  // sequentially consistent, so that one of the two sees the other.
  void prepare_to_sleep() { asleep_.store(true); }
  void end_sleep() { asleep_.store(false); }
  void notify_sleeper() noexcept {
    if (asleep_.load() && asleep_.exchange(false)) notify();
  }

 private:
  explicit Wakeup(int fd) : fd_(fd) {}

  const int fd_;
  std::atomic<bool> called_{false};
  std::atomic<bool> asleep_{false};
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_WAKEUP_H_
