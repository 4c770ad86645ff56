// LoopAccess: what the modules above may do with a loop that its users may not.
// All of it belongs to the loop's thread unless it says otherwise.
#ifndef ASYNCIO_LOOP_INTERNAL_LOOP_ACCESS_H_
#define ASYNCIO_LOOP_INTERNAL_LOOP_ACCESS_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio::internal {

// What a test puts below a loop in the place of the kernel; both outlive it. Null
// for what is to be as it always is.
struct LoopParts {
  System* system = nullptr;
  std::function<std::unique_ptr<Poller>(const Wakeup& wakeup)> make_poller;
};

struct LoopAccess {
  static std::unique_ptr<EventLoop> new_loop(const LoopOptions& options,
                                             const LoopParts& parts);

  // What calls on descriptors are made through.
  static System& system(EventLoop& loop) { return *loop.system_; }
  // See Poller::set_interest().
  static void set_interest(EventLoop& loop, IoNode& node, int32_t interest) {
    loop.set_interest(node, interest);
  }

  // Runs `node` in the next iteration. On a closed loop it is dropped when the
  // loop goes.
  static void push(EventLoop& loop, ReadyNode& node) { loop.ready_.push(node); }
  // The same, of what may come when the loop is gone: then nobody empties that queue
  // any more, and it is dropped at once.
  static void push_or_drop(EventLoop& loop, ReadyNode& node) noexcept {
    if (retired(loop)) [[unlikely]] {
      node.drop();
    } else {
      push(loop, node);
    }
  }
  // push() from any thread. False on a closed loop; the node is not taken.
  static bool post(EventLoop& loop, ReadyNode& node) {
    if (loop.is_closed()) return false;
    loop.post_node(node);
    return true;
  }

  // For those who drive a loop turn by turn: whether something is to be run, or
  // another thread is at work on it, and when the next timer is due, if there is
  // one.
  static bool has_ready(const EventLoop& loop) {
    return !loop.ready_.empty() || !loop.inbox_.empty();
  }
  // Makes the descriptors' callables ready where those are. False where none is
  // watched.
  static bool look_for_events(EventLoop& loop) {
    loop.look_for_events();
    return loop.poller_->watched() > 0;
  }
  static bool has_outside_work(const EventLoop& loop) {
    return loop.outside_work_.load() > 0;
  }
  static std::optional<TimePoint> next_deadline(EventLoop& loop) {
    return loop.wheel_.next_deadline();
  }

  // Makes `timer` ready when `deadline` has come; it must stay where it is until
  // it ran or was disarmed.
  static void arm(EventLoop& loop, LoopTimer& timer, TimePoint deadline) {
    loop.arm(timer, deadline);
  }
  static void disarm(EventLoop& loop, LoopTimer& timer) {
    loop.wheel_.cancel(timer);
  }

  // RuntimeError where another thread is running the loop.
  static void check_thread(EventLoop& loop) { loop.check_thread(); }
  static void check_usable(EventLoop& loop) { loop.check_usable(); }

  // call_exception_handler() in the context that is running: for the report of a
  // callback that names a task besides.
  static void report(EventLoop& loop, const ExceptionContext& context) {
    loop.report(context);
  }

  // Keeps the bytes of the loop, not its working.
  static void retain(EventLoop& loop) { loop.retain(); }
  static void release(EventLoop& loop) { loop.release(); }
  // Whether the loop was destroyed and only its bytes are left.
  static bool retired(const EventLoop& loop) { return loop.retired_; }

  static LoopAttachment* attachment(EventLoop& loop, AttachmentSlot slot) {
    return loop.attachments_[static_cast<size_t>(slot)].get();
  }
  static void attach(EventLoop& loop, AttachmentSlot slot,
                     std::unique_ptr<LoopAttachment> attachment) {
    loop.attachments_[static_cast<size_t>(slot)] = std::move(attachment);
  }

  // `insistent`: of a handler that must not keep Ctrl-C from ending the program,
  // a third SIGINT that the loop has not looked at has its default effect.
  static void set_signal_handler(EventLoop& loop, int sig,
                                 Ref<CallbackNode> node, bool insistent) {
    loop.set_signal_handler(sig, std::move(node), insistent);
  }
  // Whether `node` is still what handles the signal.
  static bool has_signal_handler(const EventLoop& loop, int sig,
                                 const CallbackNode* node) {
    return loop.has_signal_handler(sig, node);
  }

  // Between the two a virtual clock stands still. From any thread; the end comes
  // after the post that the work leads to, or in it, while the loop still exists.
  static void begin_outside_work(EventLoop& loop) {
    loop.outside_work_.fetch_add(1);
  }
  static void end_outside_work(EventLoop& loop) {
    Wakeup& wakeup = *loop.wakeup_;
    const bool inside = running_loop == &loop;
    loop.outside_work_.fetch_sub(1);
    if (!inside) wakeup.notify_sleeper();
  }
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_LOOP_ACCESS_H_
