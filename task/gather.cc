#include "asyncio/task/gather.h"

#include <exception>
#include <string_view>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio::internal {

void GatherLink::hold() {
  if (holds_) return;
  holds_ = true;
  owner_->outer_.retain();
}

void GatherLink::let_go() {
  if (std::exchange(holds_, false)) owner_->outer_.release();
}

void GatherLink::on_done(FutureCore& child) noexcept {
  if (!child_) child_ = Ref<FutureCore>(&child);
  hold();
  DoneCallback::on_done(child);
}

void GatherLink::on_abandoned() noexcept { let_go(); }

void GatherLink::drop() noexcept { let_go(); }

void GatherLink::run() {
  const Ref<FutureCore> share = Ref<FutureCore>::adopt(&owner_->outer_);
  holds_ = false;
  owner_->child_done(*child_);
}

Gathering::Gathering(FutureCore& outer, bool return_exceptions)
    : outer_(outer), return_exceptions_(return_exceptions) {
  LoopAccess::check_thread(*outer.loop());
}

void Gathering::add(Ref<FutureCore> child, bool own_task) {
  if (own_task) static_cast<TaskCore&>(*child).set_report_pending(false);
  GatherLink& link = links()[added_++];
  link.owner_ = this;
  link.child_ = std::move(child);
  if (link.child_->done()) return;
  if (link.child_->is_task()) link.hold();
  link.attach(*link.child_);
}

void Gathering::begin() {
  for (GatherLink& link : links()) {
    // Not those that became done since: they have their turn.
    if (!link.linked() && !link.holds_) child_done(*link.child_);
  }
  if (links().empty()) end();
}

void Gathering::child_done(FutureCore& child) {
  ++finished_;
  if (outer_.done()) {
    child.mark_retrieved();
    return;
  }
  if (!return_exceptions_ && child.state() != FutureCore::kFinished) {
    outer_.fail(child.outcome());
    return;
  }
  if (finished_ != links().size()) return;
  if (cancel_requested_) {
    end_cancelled();
  } else {
    end();
  }
}

// With the text that the last of the arguments was cancelled with, if it was.
void Gathering::end_cancelled() {
  for (const GatherLink& link : links()) link.child_->mark_retrieved();
  FutureCore& last = *links().back().child_;
  outer_.fail(last.cancelled() ? last.outcome() : plain_cancelled_error());
}

void Gathering::end() {
  try {
    collect();
  } catch (...) {
    outer_.fail(std::current_exception());
    return;
  }
  outer_.finish();
  for (GatherLink& link : links()) link.child_ = nullptr;
}

bool Gathering::cancel_children(std::string_view message) {
  bool any = false;
  for (GatherLink& link : links()) {
    if (link.child_->cancel(message)) any = true;
  }
  if (any) cancel_requested_ = true;
  return any;
}

void Gathering::orphan() {
  for (GatherLink& link : links()) {
    if (!link.linked()) continue;
    link.hold();
    // It may be its last: it tells the link then.
    const Ref<FutureCore> child = std::move(link.child_);
    link.child_ = nullptr;
  }
}

}  // namespace asyncio::internal
