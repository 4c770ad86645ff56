#include "asyncio/sync/internal/wait_queue.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

std::string primitive(const WaiterKind& kind) {
  const std::string_view name = kind.name;
  return std::string(name.substr(0, name.find('.')));
}

}  // namespace

bool WaitNode::cancel(Waiter& waiter, std::string_view message) {
  WaitNode& node = static_cast<WaitNode&>(waiter);
  if (!node.task()->cancel_wait(message)) return false;
  node.state_ = kCancelled;
  if (node.queue_ != nullptr) --node.queue_->live_;
  return true;
}

void WaitQueue::detach() noexcept {
  if (first_->task()->loop()->get_debug()) {
    std::string report =
        primitive(first_->kind()) + " was destroyed while tasks wait in it:";
    for (const WaitNode* node = first_; node != nullptr; node = node->next_) {
      report += " '" + node->task()->name() + "'";
    }
    std::fprintf(stderr, "RuntimeWarning: %s\n", report.c_str());
  }
  for (WaitNode* node = first_; node != nullptr; node = node->next_) {
    node->queue_ = nullptr;
  }
}

void throw_destroyed(const WaiterKind& kind) {
  throw RuntimeError("the " + primitive(kind) +
                     " that the task waited in was destroyed");
}

}  // namespace asyncio::internal
