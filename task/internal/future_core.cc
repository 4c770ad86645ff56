#include "asyncio/task/internal/future_core.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/ready_queue.h"

namespace asyncio::internal {
namespace {

// A user's done callback: in the future's list, then in the loop's queue.
class UserCallback final : public DoneLink, public ReadyNode, public Pooled {
 public:
  UserCallback(uint64_t number, absl::AnyInvocable<void(ErasedFuture&)> fn,
               ContextSlot context)
      : number(number), fn_(std::move(fn)), context_(std::move(context)) {}

  void on_done(FutureCore& future) noexcept override { schedule(future); }
  // Its callable may hold the last handle of a future with a callback, and so on:
  // such a chain goes link by link, not down the stack.
  void on_abandoned() noexcept override {
    static thread_local ReadyQueue abandoned;
    static thread_local bool busy = false;
    abandoned.push(*this);
    if (busy) return;
    busy = true;
    while (!abandoned.empty()) abandoned.pop().drop();
    busy = false;
  }

  [[gnu::noinline]] void schedule(FutureCore& future) {
    future_ = Ref<FutureCore>(&future);
    LoopAccess::push_or_drop(*future.loop(), *this);
  }

  void run() override {
    std::unique_ptr<UserCallback> self(this);
    ContextScope scope(context_);
    try {
      fn_(*future_);
    } catch (...) {
      std::exception_ptr exception = std::current_exception();
      if (stops_loop(exception)) throw;
      ExceptionContext report("Exception in callback", std::move(exception));
      report.future = AnyFuture(Ref<ErasedFuture>(future_.get()));
      LoopAccess::report(*future_->loop(), report);
    }
  }
  void drop() noexcept override { delete this; }

  const uint64_t number;

 private:
  absl::AnyInvocable<void(ErasedFuture&)> fn_;
  ContextSlot context_;
  Ref<FutureCore> future_;
};

uint64_t next_callback_number() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void FutureCore::end_without_result() noexcept {
  if (state_ == kPending) {
    abandon_links();
  } else {
    exception_.~exception_ptr();
  }
}

void FutureCore::abandon_links() noexcept {
  while (first_link_ != nullptr) {
    DoneLink& link = *first_link_;
    remove_link(link);
    link.on_abandoned();
  }
}

// Kept out of those who call release(), where the derived class's is expected.
[[gnu::noinline]] void FutureCore::dispose() {
  if (!unretrieved_ || report_unretrieved()) delete this;
}

bool FutureCore::report_unretrieved() {
  unretrieved_ = false;
  ++references_;  // the report may keep it
  {
    ExceptionContext report(
        std::string(class_name()) + " exception was never retrieved", exception_);
    if (is_task()) {
      report.task = AnyTask(Ref<ErasedFuture>(this));
    }
    report.future = AnyFuture(Ref<ErasedFuture>(this));
    report.source = source();
    try {
      loop_->call_exception_handler(report);
    } catch (...) {
      // The handler's interrupt: a destructor has nowhere to throw it.
    }
  }
  return --references_ == 0;
}

void FutureCore::resolve(State state, std::exception_ptr exception) {
  DoneLink* first = first_link_;
  state_ = state;
  if (state != kFinished) {
    new (&exception_) std::exception_ptr(std::move(exception));
  }
  if (first != nullptr) tell(*first);
}

// Cuts the ring open and walks it; a link may be destroyed once it is told.
void FutureCore::tell(DoneLink& first) noexcept {
  DoneLink* link = &first;
  first.prev_->next_ = nullptr;
  while (link != nullptr) {
    DoneLink* next = link->next_;
    link->prev_ = link->next_ = nullptr;
    link->on_done(*this);
    link = next;
  }
}

void FutureCore::fail(std::exception_ptr exception) {
  check_pending();
  unretrieved_ = true;
  resolve(kFailed, std::move(exception));
}

bool FutureCore::cancel(std::string_view message) {
  LoopAccess::check_thread(*loop_);
  unretrieved_ = false;
  if (done()) return false;
  resolve(kCancelled,
          message.empty() ? nullptr
                          : std::make_exception_ptr(CancelledError(message)));
  return true;
}

void FutureCore::finish_cancelled(std::exception_ptr exception) {
  if (is_plain_cancellation(exception)) exception = nullptr;
  resolve(kCancelled, std::move(exception));
}

std::exception_ptr FutureCore::outcome() {
  unretrieved_ = false;
  if (state_ == kFinished) return nullptr;
  if (state_ == kCancelled && exception_ == nullptr) {
    return plain_cancelled_error();
  }
  return exception_;
}

std::exception_ptr FutureCore::exception() {
  if (state_ == kPending) throw InvalidStateError("Exception is not set.");
  std::exception_ptr e = outcome();
  if (state_ == kCancelled) std::rethrow_exception(e);
  return e;
}

void FutureCore::throw_no_result() {
  if (state_ == kPending) throw InvalidStateError("Result is not set.");
  std::rethrow_exception(outcome());
}

void FutureCore::throw_invalid_state() const {
  throw InvalidStateError("invalid state");
}

CallbackId FutureCore::add_callback(
    absl::AnyInvocable<void(ErasedFuture&)> fn, const Context* context) {
  LoopAccess::check_thread(*loop_);
  if (done()) LoopAccess::check_usable(*loop_);
  auto* callback = new UserCallback(
      next_callback_number(), std::move(fn),
      context != nullptr ? ContextSlot(context->state())
                         : ContextSlot::copy_current());
  if (done()) {
    callback->schedule(*this);
  } else {
    add_link(*callback);
  }
  return CallbackId(callback->number);
}

size_t FutureCore::remove_callback(CallbackId id) {
  LoopAccess::check_thread(*loop_);
  UserCallback* found = nullptr;
  for_each_link([&](DoneLink& link) {
    auto* callback = dynamic_cast<UserCallback*>(&link);
    if (callback != nullptr && callback->number == id.number()) {
      found = callback;
    }
  });
  if (found == nullptr) return 0;
  remove_link(*found);
  delete found;
  return 1;
}

std::string FutureCore::describe_outcome() const {
  switch (state_) {
    case kPending:
    case kCancelled:
    case kFinished:
      return "";
    case kFailed:
      return " exception=" + exception_repr(exception_);
  }
  return "";
}

std::string FutureCore::describe() const {
  static constexpr const char* kNames[] = {"pending", "finished", "finished",
                                           "cancelled"};
  return "<" + std::string(class_name()) + " " + kNames[state_] +
         describe_outcome() + ">";
}

}  // namespace asyncio::internal
