#include "asyncio/task/shield.h"

#include <exception>
#include <memory>
#include <utility>

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio::internal {
namespace {

// Reports what a future throws that nobody waits for any more. A future has one
// at most, however often it was shielded.
class ErrorReport final : public DoneCallback, public Pooled {
 public:
  static void attach_to(FutureCore& future) {
    ErrorReport* report = nullptr;
    future.for_each_link([&](DoneLink& link) {
      if (auto* found = dynamic_cast<ErrorReport*>(&link)) report = found;
    });
    if (report != nullptr) {
      future.remove_link(*report);  // to the end
    } else {
      report = new ErrorReport;
    }
    report->attach(future);
  }

  void on_done(FutureCore& future) noexcept override {
    future_ = Ref<FutureCore>(&future);
    DoneCallback::on_done(future);
  }
  void on_abandoned() noexcept override { delete this; }
  void drop() noexcept override { delete this; }
  void run() override {
    const std::unique_ptr<ErrorReport> self(this);
    if (future_->cancelled()) return;
    std::exception_ptr exception = future_->outcome();
    if (exception == nullptr) return;
    ExceptionContext report(
        exception_name(exception) + " exception in shielded future", exception);
    report.future = AnyFuture(Ref<ErasedFuture>(future_.get()));
    future_->loop()->call_exception_handler(report);
  }

 private:
  Ref<FutureCore> future_;
};

}  // namespace

void Shielding::begin(FutureCore& inner) {
  LoopAccess::check_thread(*inner.loop());
  outer_.retain();
  linked_ = &inner;
  attach(inner);
}

void Shielding::on_done(FutureCore& inner) noexcept {
  linked_ = nullptr;
  inner_ = Ref<FutureCore>(&inner);
  DoneCallback::on_done(inner);
}

void Shielding::on_abandoned() noexcept {
  linked_ = nullptr;
  outer_.release();
}

void Shielding::drop() noexcept { outer_.release(); }

void Shielding::run() {
  const Ref<FutureCore> share = Ref<FutureCore>::adopt(&outer_);
  inner_done();
  inner_ = nullptr;
}

void Shielding::inner_done() {
  if (outer_.done()) return;
  if (inner_->cancelled()) {
    outer_.finish_cancelled(nullptr);  // as in Python, without the text
    return;
  }
  if (std::exception_ptr exception = inner_->outcome()) {
    outer_.fail(std::move(exception));
    return;
  }
  try {
    take_from(*inner_);
  } catch (...) {
    outer_.fail(std::current_exception());
    return;
  }
  outer_.finish();
}

void Shielding::outer_cancelled() {
  outer_.retain();
  LoopAccess::push_or_drop(*outer_.loop(), detach_);
}

void Shielding::detach() {
  if (linked_ == nullptr) return;
  FutureCore& inner = *linked_;
  inner.remove_link(*this);
  linked_ = nullptr;
  ErrorReport::attach_to(inner);
  outer_.release();
}

void Shielding::Detach::run() {
  const Ref<FutureCore> share = Ref<FutureCore>::adopt(&shielding_.outer_);
  shielding_.detach();
}

void Shielding::Detach::drop() noexcept { shielding_.outer_.release(); }

}  // namespace asyncio::internal
