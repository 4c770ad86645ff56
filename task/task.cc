#include "asyncio/task/task.h"

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {
namespace internal {

void print_frames(std::ostream& out, const std::string& title,
                  const std::vector<FrameSummary>& frames) {
  if (frames.empty()) {
    out << "No stack for " << title << "\n";
    return;
  }
  out << "Stack for " << title << " (most recent call last):\n";
  for (const FrameSummary& frame : frames) {
    out << "  File \"" << frame.file << "\", line " << frame.line << ", in "
        << frame.function << "\n";
  }
}

}  // namespace internal

AnyTask current_task() { return current_task(get_running_loop()); }

AnyTask current_task(EventLoop& loop) {
  internal::TaskCore* task = internal::step_task();
  if (task == nullptr || task->loop() != &loop) return AnyTask();
  return AnyTask(internal::Ref<internal::ErasedFuture>(task));
}

std::vector<AnyTask> all_tasks() { return all_tasks(get_running_loop()); }

std::vector<AnyTask> all_tasks(EventLoop& loop) {
  internal::LoopAccess::check_thread(loop);
  return internal::TaskCore::all(loop);
}

void set_task_factory(EventLoop& loop, TaskFactory factory) {
  internal::LoopAccess::check_thread(loop);
  internal::TaskDomain::of(loop).factory = std::move(factory);
}

void eager_task_factory(EventLoop&, TaskOptions& options) {
  if (!options.eager_start) options.eager_start = true;
}

}  // namespace asyncio
