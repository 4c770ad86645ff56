#include "asyncio/loop/handle.h"

#include <atomic>
#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

inline void CallbackNode::call() {
  if (cancelled()) [[unlikely]] {
    clear();
    return;
  }
  running_ = true;
  try {
    ContextScope scope(context_);
    invoke();
  } catch (...) {
    failed(std::current_exception());
    return;
  }
  running_ = false;
  // Cancelled by itself while it ran: what cancel() left alone goes now.
  if (cancelled()) [[unlikely]] clear();
}

// Whoever still holds the node, in another thread perhaps, does not hold the
// callable.
inline void CallbackNode::end() {
  if (references_.load(std::memory_order_relaxed) != 1) clear();
  release();
}

void CallbackNode::run_held() {
  struct End {
    CallbackNode* node;
    ~End() { node->end(); }
  } end{this};
  call();
}

void CallbackNode::end_in_error() {
  struct End {
    CallbackNode* node;
    ~End() { node->end(); }
  } end{this};
  failed(std::current_exception());
}

void CallbackNode::drop_context() noexcept { context_ = ContextSlot(); }

void CallbackNode::drop() noexcept {
  clear();
  release();
}

void CallbackNode::call_guarded() { call(); }

void CallbackNode::failed(std::exception_ptr exception) {
  running_ = false;
  if (cancelled()) clear();
  if (stops_loop(exception)) std::rethrow_exception(exception);
  ExceptionContext report("Exception in callback", std::move(exception));
  report.handle.emplace(Ref<CallbackNode>(this));
  loop_->call_exception_handler(report);
}

void CallbackNode::cancel() {
  if (!shared_ && (armed() || queued())) LoopAccess::check_thread(*loop_);
  if (cancelled()) return;
  std::atomic_ref(cancelled_).store(true, std::memory_order_relaxed);
  // The loop's thread may be about to call it: it clears after itself.
  if (shared_ || running_) return;
  // The callable may own the handle that this is called through.
  Ref<CallbackNode> share(this);
  if (armed()) {
    LoopAccess::disarm(*loop_, *this);
    release();
  }
  clear();
}

std::string CallbackNode::describe() const {
  int status = 0;
  const char* type = callable_type().name();
  std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type, nullptr, nullptr, &status), std::free);
  const bool timed = deadline() != TimePoint();
  std::string text = timed ? "<TimerHandle " : "<Handle ";
  if (cancelled()) text += "cancelled ";
  if (timed) {
    text += "when=" + std::to_string(deadline().seconds()) + ' ';
  }
  return text + (status == 0 ? name.get() : type) + '>';
}

}  // namespace asyncio::internal
