#include "asyncio/loop/handle.h"

#include <exception>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

void CallbackNode::run() {
  Ref<CallbackNode> share = Ref<CallbackNode>::adopt(this);
  call_guarded();
}

void CallbackNode::drop() noexcept { release(); }

void CallbackNode::call_guarded() {
  if (cancelled()) {
    clear();
    return;
  }
  running_ = true;
  std::exception_ptr exception;
  try {
    ContextScope scope(context_);
    invoke();
  } catch (...) {
    exception = std::current_exception();
  }
  running_ = false;
  // Cancelled by itself while it ran: what cancel() left alone goes now.
  if (cancelled()) clear();
  if (!exception) return;
  if (stops_loop(exception)) std::rethrow_exception(exception);
  ExceptionContext report("Exception in callback", std::move(exception));
  report.handle = Handle(Ref<CallbackNode>(this));
  ContextScope scope(context_);
  loop_->call_exception_handler(report);
}

void CallbackNode::cancel() {
  if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
  // The loop's thread may be about to call it: it clears after itself.
  if (shared_ || running_) return;
  if (armed()) {
    LoopAccess::disarm(*loop_, *this);
    release();
  }
  clear();
}

}  // namespace asyncio::internal
