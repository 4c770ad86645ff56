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
  if (node.queue_exists()) --node.queue_->live_;
  return true;
}

void WaitNode::drop() noexcept { leave(); }

void WaitQueue::detach() noexcept {
  const WaitNode& first = node_at(line_.next);
  if (first.task()->loop()->get_debug()) {
    std::string report =
        primitive(first.kind()) + " was destroyed while tasks wait in it:";
    for (PlaceInLine* link = line_.next; link != &line_; link = link->next) {
      report += " '" + node_at(link).task()->name() + "'";
    }
    std::fprintf(stderr, "RuntimeWarning: %s\n", report.c_str());
  }
  for (PlaceInLine* link = line_.next; link != &line_; link = link->next) {
    node_at(link).set_place(WaitNode::kGone);
  }
}

void throw_destroyed(const WaiterKind& kind) {
  throw RuntimeError("the " + primitive(kind) +
                     " that the task waited in was destroyed");
}

}  // namespace asyncio::internal
