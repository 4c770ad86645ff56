#include "asyncio/loop/event_loop.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/macros.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/clock.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/fd_watch.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/signals.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio {
namespace {

constexpr Duration kLongestSleep = std::chrono::hours(24);
// Timers that come thicker than this share their wake-ups, and are late by at most
// so much for it.
constexpr Duration kTimerRest = std::chrono::microseconds(250);
// What the kernel itself may be late by, unless the thread asks it not to be: those
// that are no further apart share a wake-up anyway.
constexpr Duration kKernelSlack = std::chrono::microseconds(50);
// While spinning: a microsecond or two.
constexpr int kLooksBetweenPolls = 32;

// Where looking and yielding takes so long, another thread had the core; what a
// loop then does without spinning, as a multiple of the time it lost.
constexpr Duration kCoreLost = std::chrono::microseconds(100);
constexpr int kRespite = 50;

// Leaves the core's other thread, and the bus, alone for a moment.
void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

bool debug_by_environment() {
  const char* value = std::getenv("ASYNCIO_DEBUG");
  return value != nullptr && *value != '\0';
}

std::string thread_name(std::thread::id id) {
  std::ostringstream out;
  out << "thread " << id;
  return out.str();
}

void print_report(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string exception_line(const std::exception_ptr& exception) {
  const std::string message = exception_message(exception);
  std::string line = exception_name(exception);
  if (!message.empty()) line += ": " + message;
  return line;
}

// The message, what it is about in the order of the alphabet, and the
// exception. `handled`: the report whose handler failed.
std::string report_text(const ExceptionContext& context,
                        const ExceptionContext* handled = nullptr) {
  std::string text = context.message.empty()
                         ? "Unhandled exception in event loop"
                         : context.message;
  text += '\n';
  if (handled != nullptr) {
    text += "context: " + handled->message;
    if (handled->exception) {
      text += " (" + exception_line(handled->exception) + ")";
    }
    text += '\n';
  }
  if (context.future && context.future != context.task) {
    text += "future: " + to_string(context.future) + '\n';
  }
  if (context.handle && *context.handle) {
    text += "handle: " + to_string(*context.handle) + '\n';
  }
  if (!context.source.empty()) text += "source: " + context.source + '\n';
  if (context.task) text += "task: " + to_string(context.task) + '\n';
  if (context.exception) text += exception_line(context.exception) + '\n';
  return text;
}

void check_descriptor(int fd) {
  if (fd >= 0) return;
  throw ValueError("Invalid file descriptor: " + std::to_string(fd));
}

// The context of what the report is about; null where that has none.
internal::ContextSlot* reported_context(const ExceptionContext& context) {
  if (context.task) return context.task.erased()->task_context();
  if (context.future) return context.future.erased()->task_context();
  if (context.handle && *context.handle) {
    return &context.handle->node()->context();
  }
  return nullptr;
}

}  // namespace

void internal::throw_no_running_loop() {
  throw RuntimeError("no running event loop");
}

std::unique_ptr<EventLoop> new_event_loop(LoopOptions options) {
  return internal::LoopAccess::new_loop(options, internal::LoopParts());
}

std::unique_ptr<EventLoop> internal::LoopAccess::new_loop(
    const LoopOptions& options, const LoopParts& parts) {
  return std::unique_ptr<EventLoop>(new EventLoop(options, parts));
}

EventLoop::EventLoop(const LoopOptions& options,
                     const internal::LoopParts& parts)
    : wakeup_(internal::Wakeup::take()),
      clock_(options.clock != nullptr ? options.clock : &system_clock()),
      system_(parts.system != nullptr ? parts.system : &internal::kernel()),
      poller_(parts.make_poller
                  ? parts.make_poller(*wakeup_)
                  : internal::make_epoll_poller(*wakeup_)),
      spin_(options.spin),
      concerns_(options.debug.value_or(debug_by_environment()) ? kDebug : 0),
      wheel_(clock_->now()),
      slow_callback_duration_(std::chrono::milliseconds(100)) {}

EventLoop::~EventLoop() = default;

void EventLoop::operator delete(EventLoop* loop, std::destroying_delete_t) {
  loop->retire();
  loop->release();
}

void EventLoop::free() {
  this->~EventLoop();
  ::operator delete(this, sizeof(EventLoop),
                    std::align_val_t{alignof(EventLoop)});
}

// What is destroyed here may make other things ready and arm timers: so the
// attachments, which own most, go first, and the queue is emptied again.
void EventLoop::retire() {
  ABSL_ASSERT(!is_running());
  retain();
  clear();
  for (auto& attachment : attachments_) {
    if (attachment) attachment->loop_destroyed();
  }
  for (auto& attachment : attachments_) attachment = nullptr;
  clear();
  exception_handler_ = nullptr;
  poller_ = nullptr;
  retired_ = true;
  release();
}

void EventLoop::close() {
  if (is_running()) throw RuntimeError("Cannot close a running event loop");
  if (is_closed()) return;
  clear();
  for (auto& attachment : attachments_) {
    if (attachment) attachment->loop_closed();
  }
}

void EventLoop::clear() {
  closed_.store(true);
  signals_ = nullptr;
  drop_ready();
  inbox_.drain_to(ready_);
  while (true) {
    // Timers are taken out in the order in which they would have fired.
    const size_t fired =
        wheel_.advance(TimePoint::infinite_future(), [this](TimerNode& timer) {
          ready_.push(static_cast<internal::LoopTimer&>(timer));
        });
    if (fired == 0 && ready_.empty()) break;
    drop_ready();
  }
  // The callables may close descriptors or remove watches themselves.
  auto watches = std::move(watches_);
  watches_.clear();
  for (auto& [fd, watch] : watches) set_interest(*watch, internal::kIoNone);
}

void EventLoop::drop_ready() noexcept {
  while (!ready_.empty()) ready_.pop().drop();
}

void EventLoop::throw_closed() { throw RuntimeError("Event loop is closed"); }

void EventLoop::enter_idle() {
  const std::thread::id owner = thread_.load(std::memory_order_relaxed);
  if (owner == std::thread::id()) {
    // What was posted by now keeps its place before what comes of this call.
    if (!is_closed()) inbox_.drain_to(ready_);
    return;
  }
  if (owner == std::this_thread::get_id()) return;
  throw RuntimeError(
      "Non-thread-safe operation invoked on an event loop other than the "
      "current "
      "one: the loop runs in " +
      thread_name(owner) + ", the call came from " +
      thread_name(std::this_thread::get_id()));
}

Handle EventLoop::schedule(internal::Ref<internal::CallbackNode> node) {
  ready_.push(*node);
  return Handle(std::move(node));
}

TimerHandle EventLoop::schedule_at(TimePoint when,
                                   internal::Ref<internal::CallbackNode> node) {
  arm(*node, when);
  if (when == TimePoint::infinite_future()) [[unlikely]] {
    // Never comes: its handle alone keeps it.
    TimerWheel::cancel(*node);
    node->release();
  }
  return TimerHandle(std::move(node));
}

void EventLoop::set_interest(internal::IoNode& node, int32_t interest) {
  poller_->set_interest(node, interest);
  set_concern(kWatching, poller_->watched() > 0);
}

void EventLoop::check_unused(int fd) const {
  const auto& descriptors = attachments_[static_cast<size_t>(
      internal::AttachmentSlot::kDescriptors)];
  if (descriptors != nullptr) descriptors->check_unused(fd);
}

void EventLoop::watch(int fd, int32_t event,
                      internal::Ref<internal::CallbackNode> node) {
  check_descriptor(fd);
  check_unused(fd);
  auto [place, fresh] = watches_.try_emplace(fd);
  if (fresh) place->second = std::make_unique<internal::FdWatch>(fd);
  internal::FdWatch& watch = *place->second;
  try {
    set_interest(watch, watch.interest | event);
  } catch (...) {
    if (fresh) watches_.erase(place);
    throw;
  }
  auto& slot = event == internal::kIoRead ? watch.reader : watch.writer;
  internal::Ref<internal::CallbackNode> before = std::move(slot);
  slot = std::move(node);
  // What the old one was due for, the next poll will tell the new one.
  watch.result &= ~event;
}

bool EventLoop::unwatch(int fd, int32_t event) {
  if (is_closed()) return false;
  check_thread();
  check_descriptor(fd);
  auto place = watches_.find(fd);
  if (place == watches_.end()) {
    check_unused(fd);
    return false;
  }
  internal::FdWatch& watch = *place->second;
  auto& slot = event == internal::kIoRead ? watch.reader : watch.writer;
  if (!slot) return false;
  internal::Ref<internal::CallbackNode> before = std::move(slot);
  slot = nullptr;
  watch.result &= ~event;
  set_interest(watch, watch.interest & ~event);
  if (!watch.reader && !watch.writer) {
    if (watch.queued() || watch.running) {
      watch.orphaned = true;
      place->second.release();
    }
    watches_.erase(place);
  }
  return true;
}

void EventLoop::set_signal_handler(int sig,
                                   internal::Ref<internal::CallbackNode> node,
                                   bool insistent) {
  internal::check_signal(sig);
  if (!signals_) {
    signals_ = std::make_unique<internal::SignalRegistry>(*wakeup_, ready_);
  }
  signals_->add(sig, std::move(node), insistent);
}

// Each delivery is followed by a call. Who posts calls, too: the inbox is looked at
// in any case.
void EventLoop::collect_signals() {
  if (wakeup_->take_calls() && signals_) signals_->collect();
}

bool EventLoop::has_signal_handler(int sig,
                                   const internal::CallbackNode* node) const {
  return signals_ && signals_->has(sig, node);
}

bool EventLoop::remove_signal_handler(int sig) {
  internal::check_signal(sig);
  if (is_closed()) return false;
  check_thread();
  return signals_ && signals_->remove(sig);
}

void EventLoop::set_exception_handler(ExceptionHandler handler) {
  check_thread();
  exception_handler_ = std::move(handler);
}

void EventLoop::default_exception_handler(const ExceptionContext& context) {
  print_report(report_text(context));
}

void EventLoop::call_exception_handler(const ExceptionContext& context) {
  std::optional<internal::ContextScope> scope;
  if (internal::ContextSlot* slot = reported_context(context)) {
    scope.emplace(*slot);
  }
  report(context);
}

void EventLoop::report(const ExceptionContext& context) {
  if (!exception_handler_) {
    default_exception_handler(context);
    return;
  }
  try {
    // A copy: the handler may set another.
    ExceptionHandler handler = exception_handler_;
    handler(*this, context);
  } catch (...) {
    std::exception_ptr exception = std::current_exception();
    if (internal::stops_loop(exception)) throw;
    const ExceptionContext failure("Unhandled error in exception handler",
                                   std::move(exception));
    print_report(report_text(failure, &context));
  }
}

// One node's turn, with all that it leaves; nobody's context is running after it.
inline void EventLoop::take_turn(internal::ReadyNode& node) {
  node.run();
  // What is left is a task's.
  if (internal::step.next != nullptr) internal::step.task->go_on();
  end_turn();
}

inline void EventLoop::end_turn() {
  internal::step.task = nullptr;
}

// What is ready now; what that makes ready waits. An interrupt leaves the rest at
// the front of the queue.
template <void (EventLoop::*kTakeTurn)(internal::ReadyNode&)>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void EventLoop::run_ready() {
  internal::ReadyQueue::Batch batch = ready_.take_all();
  try {
    do {
      (this->*kTakeTurn)(batch.next());
    } while (!batch.empty());
  } catch (...) {
    end_turn();
    ready_.put_back(batch);
    throw;
  }
}

// Whether an iteration would do nothing but run what is ready. The Wakeup is the
// loop's own, kept in a register by the caller.
inline bool EventLoop::only_ready(const internal::Wakeup& wakeup) const {
  return !ready_.empty() && concerns_ == 0 && !wakeup.called();
}

// One iteration: docs/loop.md has it as a numbered list.
void EventLoop::run_once() {
  // With something to run and nothing watched there is nothing to wait for.
  if (ready_.empty() || poller_->watched() > 0) wait_for_events();
  collect_signals();
  inbox_.drain_to(ready_);
  if ((concerns_ & kTimed) != 0) move_due_timers();
  if (ready_.empty()) [[unlikely]] return;
  if (get_debug()) [[unlikely]] {
    run_ready<&EventLoop::take_turn_debug>();
  } else {
    run_ready<&EventLoop::take_turn>();
  }
}

void EventLoop::run_forever() {
  check_closed();
  if (is_running()) throw RuntimeError("This event loop is already running");
  if (internal::running_loop != nullptr) {
    throw RuntimeError(
        "Cannot run the event loop while another loop is running");
  }
  // Of two threads that come here at once, one gets it.
  std::thread::id nobody;
  if (!thread_.compare_exchange_strong(nobody, std::this_thread::get_id())) {
    throw RuntimeError("This event loop is already running");
  }
  struct Scope {
    explicit Scope(EventLoop& loop)
        : loop(loop), context(nullptr) {
      internal::running_loop = &loop;
    }
    ~Scope() {
      internal::running_loop = nullptr;
      loop.set_concern(kStopping, false);
      loop.thread_.store(std::thread::id());
    }
    EventLoop& loop;
    internal::ContextScope context;
  } scope(*this);
  run_once();
  const internal::Wakeup& wakeup = *wakeup_;
  do {
    if (only_ready(wakeup)) {  // and then at the end: a jump less a turn
      do {
        run_ready<&EventLoop::take_turn>();
      } while (only_ready(wakeup));
    }
  } while (go_round());
}

// An iteration, unless the last one was to be the last. Not in line, so that what
// it looks at is in no register of the short way.
[[gnu::noinline]] bool EventLoop::go_round() {
  if ((concerns_ & kStopping) != 0) return false;
  run_once();
  return true;
}

// Events that have come already. With nothing watched there are none: signals
// and other threads are seen without a call of the kernel.
void EventLoop::look_for_events() {
  if (poller_->watched() > 0) poller_->poll(Duration::zero(), ready_);
}

void EventLoop::wait_for_events() {
  if (!ready_.empty() || (concerns_ & kStopping) != 0 || !inbox_.empty()) {
    look_for_events();
    return;
  }
  const TimePoint wakeup = wheel_.next_wakeup();
  if (wakeup == TimePoint::infinite_future()) {
    sleep_until_event(Duration::infinite());
    return;
  }
  const TimePoint now = clock_->now();
  if (wakeup <= now) {
    look_for_events();
    return;
  }
  if (clock_ != &system_clock()) [[unlikely]] {
    // What has come is seen before the time moves on, and the answer of another
    // thread is waited for. Work that ended before the first look at its count
    // was posted before it: the inbox is looked at after it.
    poller_->poll(Duration::zero(), ready_);
    collect_signals();
    const bool work_outside = outside_work_.load() > 0;
    if (!ready_.empty() || !inbox_.empty()) return;
    if (work_outside) {
      sleep_while_work_outside();
      return;
    }
    if (clock_->jump_to(*wheel_.next_deadline())) return;
  }
  sleep_until_event(std::min(wake_time(wakeup) - now, kLongestSleep));
}

// When to wake for timers of which the first is due at `first`, later than now. A
// wake-up costs as much as some thirty timers, so where the last was just now and
// more than one would follow, they wait for each other. A timer with no other near
// is never made to wait, nor one of a loop that may spin.
TimePoint EventLoop::wake_time(TimePoint first) const {
  const TimePoint rested = last_fired_ + kTimerRest;
  if (first >= rested || spin_ > Duration::zero() ||
      !wheel_.is_due_between(first + kKernelSlack, rested)) {
    return first;
  }
  return rested;
}

// True where something came, or `timeout` has passed; else what is left of it.
bool EventLoop::spin(Duration& timeout) {
  const TimePoint start = system_clock().now();
  if (start < spin_again_) return false;
  const Duration limit = std::min(spin_, timeout);
  TimePoint last = start;
  while (true) {
    for (int i = 0; i < kLooksBetweenPolls; ++i) {
      if (!inbox_.empty()) return true;
      relax();
    }
    look_for_events();
    collect_signals();
    if (!ready_.empty()) return true;
    // Where there are more threads than cores, the poster may need this one.
    std::this_thread::yield();
    const TimePoint now = system_clock().now();
    // One that yields gets the core back by its turn, one that sleeps when it is
    // woken: where the core is wanted, spinning makes the answer later.
    const Duration round = now - last;
    const bool core_lost = round > kCoreLost && !spin_.is_infinite();
    if (core_lost) spin_again_ = now + round * kRespite;
    if (core_lost || now - start >= limit) {
      timeout -= now - start;
      return timeout <= Duration::zero();
    }
    last = now;
  }
}

void EventLoop::sleep_until_event(Duration timeout) {
  if (spin_ > Duration::zero() && spin(timeout)) return;
  if (!inbox_.begin_sleep()) timeout = Duration::zero();
  poller_->poll(timeout, ready_);
  inbox_.end_sleep();
}

void EventLoop::sleep_while_work_outside() {
  wakeup_->prepare_to_sleep();
  const bool wait = inbox_.begin_sleep() && outside_work_.load() > 0;
  poller_->poll(wait ? Duration::infinite() : Duration::zero(), ready_);
  inbox_.end_sleep();
  wakeup_->end_sleep();
}

void EventLoop::move_due_timers() {
  if (!wheel_.empty()) {
    const TimePoint now = clock_->now();
    const size_t fired = wheel_.advance(now, [this](TimerNode& timer) {
      ready_.push(static_cast<internal::LoopTimer&>(timer));
    });
    if (fired > 0) last_fired_ = now;
  }
  if (wheel_.empty()) set_concern(kTimed, false);
}

void EventLoop::take_turn_debug(internal::ReadyNode& node) {
  // It may be gone after it ran.
  const std::string name = node.describe();
  const TimePoint start = clock_->now();
  take_turn(node);
  const Duration taken = clock_->now() - start;
  if (taken >= slow_callback_duration_) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", taken.seconds());
    print_report("Executing " + name + " took " + seconds + " seconds\n");
  }
}

}  // namespace asyncio
