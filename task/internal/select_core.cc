#include "asyncio/task/internal/select_core.h"

#include <exception>
#include <string_view>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio::internal {

const WaiterKind SelectCore::kKind = {1, "select", &SelectCore::cancel,
                                      nullptr};

void SelectLink::on_done(FutureCore&) noexcept { core->ended(*this); }

void SelectCore::add(Ref<FutureCore> future) {
  SelectLink& link = links_[size_++];
  link.core = this;
  link.future = std::move(future);
}

void SelectCore::suspend(PromiseBase& caller) {
  left_ = size_;
  step_task()->park(caller, *this);
  for (size_t i = 0; i < size_; ++i) {
    SelectLink& link = links_[i];
    if (link.future->done()) {
      ended(link);
    } else {
      link.future->add_link(link);
    }
  }
}

void SelectCore::ended(SelectLink& link) noexcept {
  --left_;
  if (winner_ == kNone && !cancel_requested_) {
    winner_ = static_cast<size_t>(&link - links_.get());
    const TaskCore::NewRequest request;
    cancel_others("");
  }
  // The last of the nested calls, if any, finds nobody left.
  if (left_ != 0 || !task()->waiting()) return;
  if (cancel_requested_) {
    task()->cancel_wait(message_);
  } else {
    task()->wake();
  }
}

void SelectCore::cancel_others(std::string_view message) {
  for (size_t i = 0; i < size_; ++i) {
    FutureCore& future = *links_[i].future;
    if (!future.done()) future.cancel(message);
  }
}

// The wait goes on until all have ended.
bool SelectCore::cancel(Waiter& waiter, std::string_view message) {
  SelectCore& core = static_cast<SelectCore&>(waiter);
  if (!core.task()->waiting()) return false;
  core.cancel_requested_ = true;
  core.message_ = message;
  core.cancel_others(message);
  return true;
}

void SelectCore::finish() {
  if (step_task()->take_cancelled()) [[unlikely]] {
    if (winner_ == kNone) {
      std::rethrow_exception(step_task()->make_cancelled_error());
    }
    // What the first gave is not lost: the next await throws.
    step_task()->defer_cancel();
  }
  future(winner_).check_result();
}

}  // namespace asyncio::internal
