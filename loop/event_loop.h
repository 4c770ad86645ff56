// EventLoop: runs callbacks in order, and wakes for timers, descriptors, signals
// and other threads. It knows no coroutine; tasks are built on it in //task.
//
//   std::unique_ptr<EventLoop> loop = new_event_loop();
//   loop->call_later(1s, [&] { puts("tick"); loop->stop(); });
//   loop->run_forever();
//   loop->close();
//
// One iteration (docs/loop.md): wait for events, move what is due to the ready
// queue, run exactly what was ready then. What a callback schedules runs in the
// next iteration.
//
// Order: callbacks first in, first out; timers by deadline, equal deadlines in
// the order they were made.
// Threads: a loop belongs to the thread that runs it. Only call_soon_threadsafe()
// may be called from another; everything else throws RuntimeError there.
// Lifetime: whatever is still scheduled when the loop is closed or destroyed is
// destroyed uncalled. Futures and tasks may outlive their loop.
// Cost: a call_soon() is one block from the pool; making a task ready is a write
// to a list. An iteration enters the kernel once, or not at all while something is
// ready and no descriptor is watched.
#ifndef ASYNCIO_LOOP_EVENT_LOOP_H_
#define ASYNCIO_LOOP_EVENT_LOOP_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/loop_timer.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/loop/internal/wakeup.h"
#include "asyncio/timers/timer_wheel.h"

namespace asyncio {

class EventLoop;

// Told of what nobody else can be told: see set_exception_handler().
using ExceptionHandler =
    std::function<void(EventLoop&, const ExceptionContext&)>;

enum class Backend : uint8_t { automatic, epoll };

struct LoopOptions {
  Backend backend = Backend::automatic;
  Clock* clock = nullptr;      // null: the system's; must outlive the loop
  std::optional<bool> debug = {};  // empty: whether ASYNCIO_DEBUG is set
  // For so long a loop with nothing to run looks for work before it sleeps; not at
  // all unless set. It answers a post of another thread without the kernel's
  // wake-up, and takes a whole processor meanwhile; where it has to share that, it
  // sleeps at once for a while. Infinite: it never sleeps. Its timers share no
  // wake-ups.
  Duration spin = Duration::zero();
};

// The loop that is running in this thread.
// RuntimeError("no running event loop") where none is.
inline EventLoop& get_running_loop();

// A new loop, which runs nothing yet.
std::unique_ptr<EventLoop> new_event_loop(LoopOptions options = {});

namespace internal {
struct LoopAccess;
class FdWatch;
class SignalRegistry;

// What another module keeps with a loop; destroyed with it.
class LoopAttachment {
 public:
  virtual ~LoopAttachment() = default;
  // The loop was closed: nothing that is posted to it runs any more.
  virtual void loop_closed() {}
  // RuntimeError where it watches this descriptor itself.
  virtual void check_unused(int fd) const { static_cast<void>(fd); }
  // The loop is being destroyed; it still has its queue, but runs nothing more.
  virtual void loop_destroyed() = 0;
};
enum class AttachmentSlot : uint8_t {
  kTasks,
  kThreads,
  kGenerators,
  kChildren,
  kDescriptors,
  kFdLines,
  kMailbox,
  kCount
};

// The parts below a loop that are not its users' to choose.
struct LoopParts;

// The loop that runs in this thread, or null.
inline constinit thread_local EventLoop* running_loop = nullptr;
[[noreturn]] void throw_no_running_loop();
}  // namespace internal

class EventLoop {
 public:
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // --- Callbacks. Arguments are decay-copied, and given as lvalues, or moved where
  // the callable takes them only so; the context is a copy of the running one unless
  // `options.context` names another.

  // Runs fn(args...) in the next iteration.
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, CallbackOptions>)
  Handle call_soon(F&& fn, Args&&... args) {
    return call_soon(CallbackOptions(), std::forward<F>(fn),
                     std::forward<Args>(args)...);
  }
  template <class F, class... Args>
  Handle call_soon(CallbackOptions options, F&& fn, Args&&... args) {
    check_usable();
    return schedule(internal::make_callback(
        *this, internal::kScheduled, context_of(options), std::forward<F>(fn),
        std::forward<Args>(args)...));
  }

  // The same from any thread; wakes the loop. Calls of one thread run in order.
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, CallbackOptions>)
  Handle call_soon_threadsafe(F&& fn, Args&&... args) {
    return call_soon_threadsafe(CallbackOptions(), std::forward<F>(fn),
                                std::forward<Args>(args)...);
  }
  template <class F, class... Args>
  Handle call_soon_threadsafe(CallbackOptions options, F&& fn, Args&&... args) {
    check_closed();
    // By itself, so that the context, which is empty by then, ends before the post.
    internal::CallbackNode* const node =
        internal::make_callback(*this, internal::kPosted, context_of(options),
                                std::forward<F>(fn), std::forward<Args>(args)...)
            .leak();
    return post(*node);
  }

  // Runs fn(args...) when `delay` has passed, never earlier. Timers that come
  // thicker than every 250 us share wake-ups, and are late by so much at most for
  // it. A negative delay is over already, in its place among the others that are;
  // an infinite one never passes, and the callable lives as long as its handle.
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, CallbackOptions>)
  TimerHandle call_later(Duration delay, F&& fn, Args&&... args) {
    return call_later(CallbackOptions(), delay, std::forward<F>(fn),
                      std::forward<Args>(args)...);
  }
  template <class F, class... Args>
  TimerHandle call_later(CallbackOptions options, Duration delay, F&& fn,
                         Args&&... args) {
    check_usable();
    return call_at(options, time() + delay, std::forward<F>(fn),
                   std::forward<Args>(args)...);
  }

  // The same at a moment of this loop's clock.
  template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, CallbackOptions>)
  TimerHandle call_at(TimePoint when, F&& fn, Args&&... args) {
    return call_at(CallbackOptions(), when, std::forward<F>(fn),
                   std::forward<Args>(args)...);
  }
  template <class F, class... Args>
  TimerHandle call_at(CallbackOptions options, TimePoint when, F&& fn,
                      Args&&... args) {
    check_usable();
    return schedule_at(when, internal::make_callback(
                                 *this, internal::kScheduled,
                                 context_of(options), std::forward<F>(fn),
                                 std::forward<Args>(args)...));
  }

  // Now, on this loop's clock.
  TimePoint time() const { return clock_->now(); }

  // --- Running.

  // Runs until stop() is called. RuntimeError where this loop, or another in this
  // thread, runs already, or it is closed. A KeyboardInterrupt or SystemExit from
  // a callback leaves it at once; the rest of the iteration runs next time.
  void run_forever();

  // Ends run_forever() after the current iteration; called before it, after one.
  void stop() {
    check_thread();
    concerns_ |= kStopping;
  }

  // Gives up what is scheduled, the descriptors and the signals. Calling it twice
  // does no harm. RuntimeError("Cannot close a running event loop").
  void close();

  bool is_running() const {
    return thread_.load(std::memory_order_relaxed) != std::thread::id();
  }
  bool is_closed() const { return closed_.load(std::memory_order_relaxed); }

  // --- Descriptors. Level-triggered: the call is made in every iteration in
  // which `fd` is ready. Adding again replaces the callable. Whoever closes a
  // descriptor removes it first. OSError where the kernel cannot watch it;
  // RuntimeError where a stream, a server or an endpoint of this loop has it.

  template <class F, class... Args>
  void add_reader(int fd, F&& fn, Args&&... args) {
    check_usable();
    watch(fd, internal::kIoRead,
          make_repeated(std::forward<F>(fn), std::forward<Args>(args)...));
  }
  template <class F, class... Args>
  void add_writer(int fd, F&& fn, Args&&... args) {
    check_usable();
    watch(fd, internal::kIoWrite,
          make_repeated(std::forward<F>(fn), std::forward<Args>(args)...));
  }
  // Whether there was one. The callable is not called again, not even where it
  // was due in this iteration.
  bool remove_reader(int fd) { return unwatch(fd, internal::kIoRead); }
  bool remove_writer(int fd) { return unwatch(fd, internal::kIoWrite); }

  // --- Signals. One call for each delivery of the signal to the process. A
  // signal has one owner: the loop that added it last. ValueError for a number
  // that is no signal, RuntimeError for one that cannot be caught.

  template <class F, class... Args>
  void add_signal_handler(int sig, F&& fn, Args&&... args) {
    check_usable();
    set_signal_handler(
        sig, make_repeated(std::forward<F>(fn), std::forward<Args>(args)...));
  }
  // Whether there was one. The signal's default action is back after it.
  bool remove_signal_handler(int sig);

  // --- Errors that have no caller to go to: of callbacks, of tasks that nobody
  // awaits, and the like.

  // Null brings the default back.
  void set_exception_handler(ExceptionHandler handler);
  // Null while the default is in place.
  ExceptionHandler get_exception_handler() const { return exception_handler_; }
  // Prints the report to standard error.
  void default_exception_handler(const ExceptionContext& context);
  // Gives the report to the handler in place. What a handler of yours throws is
  // reported by the default one; KeyboardInterrupt and SystemExit pass.
  void call_exception_handler(const ExceptionContext& context);

  // --- Debug mode: slow callbacks and coroutines that were never awaited are
  // reported on standard error.

  bool get_debug() const { return (concerns_ & kDebug) != 0; }
  void set_debug(bool debug) {
    check_thread();
    set_concern(kDebug, debug);
  }
  // What counts as slow: 100 ms unless set.
  Duration slow_callback_duration() const { return slow_callback_duration_; }
  void set_slow_callback_duration(Duration d) { slow_callback_duration_ = d; }

  // `delete` ends the loop: see close(). The bytes stay until the last future or
  // task that names it is gone.
  static void operator delete(EventLoop* loop, std::destroying_delete_t);
  // Public for Clang, which wants it so for a std::unique_ptr.
  ~EventLoop();

 private:
  friend struct internal::LoopAccess;
  friend std::unique_ptr<EventLoop> new_event_loop(LoopOptions options);

  EventLoop(const LoopOptions& options, const internal::LoopParts& parts);

  static internal::ContextSlot context_of(const CallbackOptions& options) {
    if (options.context != nullptr) [[unlikely]] {
      return internal::ContextSlot(options.context->state());
    }
    return internal::ContextSlot::copy_current();
  }
  void check_closed() const {
    if (is_closed()) [[unlikely]] throw_closed();
  }
  // That no other thread is running the loop. Where none does, what was posted by now
  // comes before what follows.
  void check_thread() {
    if (internal::running_loop != this) [[unlikely]] enter_idle();
  }
  void check_usable() {
    check_closed();
    check_thread();
  }
  [[noreturn]] static void throw_closed();
  void enter_idle();

  template <class F, class... Args>
  internal::Ref<internal::CallbackNode> make_repeated(F&& fn, Args&&... args) {
    static_assert(
        internal::kRepeatable<std::decay_t<F>, std::decay_t<Args>...>,
        "the callable does not take these arguments as lvalues, call by call");
    return internal::make_callback(
        *this, internal::kHeld, internal::ContextSlot::copy_current(),
        std::forward<F>(fn), std::forward<Args>(args)...);
  }
  Handle schedule(internal::Ref<internal::CallbackNode> node);
  TimerHandle schedule_at(TimePoint when,
                          internal::Ref<internal::CallbackNode> node);
  // Takes a share over.
  Handle post(internal::CallbackNode& node) {
    Handle handle(internal::Ref<internal::CallbackNode>::adopt(&node));
    post_node(node);
    return handle;
  }
  void check_unused(int fd) const;
  void watch(int fd, int32_t event, internal::Ref<internal::CallbackNode> node);
  bool unwatch(int fd, int32_t event);
  void set_signal_handler(int sig, internal::Ref<internal::CallbackNode> node,
                          bool insistent = false);
  bool has_signal_handler(int sig, const internal::CallbackNode* node) const;

  // call_exception_handler() in the context that is running.
  void report(const ExceptionContext& context);

  void post_node(internal::ReadyNode& node) {
    if (internal::running_loop == this) {
      ready_.push(node);
      return;
    }
    // Once it is pushed, the node may run and end the loop.
    internal::Wakeup& wakeup = *wakeup_;
    const internal::Inbox::Pushed pushed = inbox_.push(node);
    if (!pushed.first()) [[likely]] return;
    if (pushed.first_since_sleep()) {
      wakeup.notify();
    } else {
      wakeup.call();
    }
  }
  void set_interest(internal::IoNode& node, int32_t interest);
  void collect_signals();
  void run_once();
  bool go_round();
  void arm(internal::LoopTimer& timer, TimePoint deadline) {
    set_concern(kTimed, true);
    wheel_.schedule(timer, deadline);
  }
  bool only_ready(const internal::Wakeup& wakeup) const;
  void wait_for_events();
  void look_for_events();
  TimePoint wake_time(TimePoint first) const;
  void sleep_until_event(Duration timeout);
  bool spin(Duration& timeout);
  void sleep_while_work_outside();
  void move_due_timers();
  template <void (EventLoop::*kTakeTurn)(internal::ReadyNode&)>
  void run_ready();
  void take_turn(internal::ReadyNode& node);
  void take_turn_debug(internal::ReadyNode& node);
  static void end_turn();
  void drop_ready() noexcept;
  void clear();
  void retire();
  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) [[unlikely]] free();
  }
  void free();

  // What makes an iteration more than the running of what is ready.
  enum Concern : uint8_t {
    kStopping = 1,
    kDebug = 2,
    kWatching = 4,
    kTimed = 8,  // a timer was armed; may be none any more
  };
  void set_concern(Concern concern, bool on) {
    concerns_ = static_cast<uint8_t>(on ? concerns_ | concern
                                        : concerns_ & ~concern);
  }

  // What a thread that posts looks at has a cache line of its own, and what it
  // writes another: neither is taken from it by what the loop does meanwhile.
  static constexpr size_t kCacheLine = 64;
  alignas(kCacheLine) internal::Inbox inbox_;
  alignas(kCacheLine) std::atomic<bool> closed_{false};
  std::atomic<std::thread::id> thread_{std::thread::id()};
  internal::Wakeup::Lease wakeup_;
  Clock* clock_;
  internal::System* system_;
  std::unique_ptr<internal::Poller> poller_;
  const Duration spin_;

  alignas(kCacheLine) internal::ReadyQueue ready_;
  uint8_t concerns_ = 0;
  bool retired_ = false;
  TimerWheel wheel_;
  // When a timer was last found due.
  TimePoint last_fired_ =
      TimePoint::from_nanoseconds(std::numeric_limits<int64_t>::min());
  TimePoint spin_again_;  // not before
  absl::flat_hash_map<int, std::unique_ptr<internal::FdWatch>> watches_;
  std::unique_ptr<internal::SignalRegistry> signals_;
  std::array<std::unique_ptr<internal::LoopAttachment>,
             static_cast<size_t>(internal::AttachmentSlot::kCount)>
      attachments_;
  // Work of other threads that will end in a post: time must not jump meanwhile.
  std::atomic<int> outside_work_{0};
  ExceptionHandler exception_handler_;
  Duration slow_callback_duration_;
  uint32_t references_ = 1;
};

inline EventLoop& get_running_loop() {
  EventLoop* loop = internal::running_loop;
  if (loop == nullptr) [[unlikely]] internal::throw_no_running_loop();
  return *loop;
}

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_EVENT_LOOP_H_
