#include "asyncio/task/runner.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/async_generator.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/task.h"
#include "asyncio/task/threads.h"

namespace asyncio {
namespace internal {

void check_can_run(EventLoop& loop) {
  if (loop.is_closed()) throw RuntimeError("Event loop is closed");
  if (loop.is_running()) {
    throw RuntimeError("This event loop is already running");
  }
  if (running_loop != nullptr) {
    throw RuntimeError(
        "Cannot run the event loop while another loop is running");
  }
}

void own_main(FutureCore& task) {
  static_cast<TaskCore&>(task).set_report_pending(false);
}

void drive(EventLoop& loop, FutureCore& core) {
  if (core.loop() != &loop) {
    throw ValueError("The future belongs to a different loop than the one "
                     "specified as the loop argument");
  }
  // Its callback may be ready when something leaves the loop: then it is too late to
  // take it back, and it must not stop whoever drives the loop next.
  const auto driving = std::make_shared<bool>(true);
  const CallbackId stop = core.add_callback(
      [&loop, driving](ErasedFuture&) {
        if (*driving) loop.stop();
      },
      nullptr);
  try {
    loop.run_forever();
  } catch (...) {
    *driving = false;
    core.remove_callback(stop);
    // What left the loop is on its way to the caller: the task's copy of it need
    // not be reported.
    if (core.done() && !core.cancelled()) core.mark_retrieved();
    throw;
  }
  core.remove_callback(stop);
  if (!core.done()) {
    throw RuntimeError("Event loop stopped before Future completed.");
  }
}

}  // namespace internal

namespace {

constexpr Duration kThreadJoinTimeout = std::chrono::minutes(5);

// Ctrl-C while a main task runs, or, where there is none, while a runner clears up.
class Interrupts {
 public:
  explicit Interrupts(EventLoop& loop, AnyTask main = {}) : loop_(loop) {
    struct sigaction action;
    if (getpid() != gettid() || sigaction(SIGINT, nullptr, &action) != 0 ||
        action.sa_handler != SIG_DFL) {
      return;
    }
    node_ = internal::make_callback(
        loop, internal::kHeld, internal::ContextSlot(),
        [this, main = std::move(main)] {
          if (++count_ > 1 || !main) throw KeyboardInterrupt();
          if (main.done()) {
            // What it threw is on its way to the caller.
            if (!main.cancelled() && main.exception() != nullptr) return;
            throw KeyboardInterrupt();
          }
          main.cancel();
        });
    internal::LoopAccess::set_signal_handler(loop, SIGINT, node_,
                                             /*insistent=*/true);
  }
  ~Interrupts() {
    if (node_ &&
        internal::LoopAccess::has_signal_handler(loop_, SIGINT, node_.get())) {
      loop_.remove_signal_handler(SIGINT);
    }
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int count() const { return count_; }

 private:
  EventLoop& loop_;
  internal::Ref<internal::CallbackNode> node_;
  int count_ = 0;
};

// Cancels what is left and drives the loop until all of it has ended.
void cancel_all_tasks(EventLoop& loop) {
  std::vector<AnyTask> tasks = all_tasks(loop);
  if (tasks.empty()) return;
  for (const AnyTask& task : tasks) task.cancel();
  Future<> all_done = create_future<>(loop);
  size_t left = tasks.size();
  for (const AnyTask& task : tasks) {
    task.add_done_callback([&left, all_done] {
      if (--left == 0) all_done.set_result();
    });
  }
  internal::drive(loop, *all_done.core());
  for (const AnyTask& task : tasks) {
    if (task.cancelled()) continue;
    if (std::exception_ptr exception = task.exception()) {
      ExceptionContext report(
          "unhandled exception during asyncio.run() shutdown",
          std::move(exception));
      report.task = task;
      loop.call_exception_handler(report);
    }
  }
}

}  // namespace

Runner::Runner(RunnerOptions options) : options_(options) {}

Runner::Runner(std::unique_ptr<EventLoop> loop)
    : loop_(std::move(loop)), context_(copy_context()) {}

Runner::~Runner() {
  try {
    close();
  } catch (...) {
    loop_->call_exception_handler(ExceptionContext(
        "Exception while closing a Runner", std::current_exception()));
  }
}

void Runner::check_can_run(const char* what) {
  if (internal::running_loop != nullptr) {
    throw RuntimeError(std::string(what) +
                       " cannot be called from a running event loop");
  }
}

EventLoop& Runner::get_loop() {
  if (closed_) throw RuntimeError("Runner is closed");
  if (!loop_) {
    loop_ = options_.loop_factory ? options_.loop_factory() : new_event_loop();
    if (!loop_) throw RuntimeError("The loop factory gave no loop");
    if (options_.debug) loop_->set_debug(*options_.debug);
    context_ = copy_context();
  }
  return *loop_;
}

void Runner::run_main(AnyTask task, internal::FutureCore& core) {
  Interrupts interrupts(*loop_, task);
  internal::drive(*loop_, core);
  if (core.cancelled() && interrupts.count() > 0 && task.uncancel() == 0) {
    throw KeyboardInterrupt();
  }
}

void Runner::close() {
  if (closed_ || !loop_) return;
  if (loop_->is_running()) {
    throw RuntimeError("Cannot close a running event loop");
  }
  closed_ = true;
  struct Close {
    EventLoop& loop;
    ~Close() { loop.close(); }
  } close{*loop_};
  Interrupts interrupts(*loop_);
  cancel_all_tasks(*loop_);
  run_until_complete(*loop_, shutdown_asyncgens());
  run_until_complete(*loop_, shutdown_default_executor(kThreadJoinTimeout));
}

}  // namespace asyncio
