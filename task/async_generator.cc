#include "asyncio/task/async_generator.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/internal/function_name.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {
namespace internal {

namespace {

bool debug_mode() {
  if (running_loop != nullptr) return running_loop->get_debug();
  const char* value = std::getenv("ASYNCIO_DEBUG");
  return value != nullptr && *value != '\0';
}

}  // namespace

// The generators of one loop that were begun.
class GeneratorDomain final : public LoopAttachment {
 public:
  static GeneratorDomain& of(EventLoop& loop) {
    LoopAttachment* found =
        LoopAccess::attachment(loop, AttachmentSlot::kGenerators);
    if (found == nullptr) {
      auto domain = std::make_unique<GeneratorDomain>();
      found = domain.get();
      LoopAccess::attach(loop, AttachmentSlot::kGenerators, std::move(domain));
    }
    return static_cast<GeneratorDomain&>(*found);
  }

  GeneratorDomain() { list_.prev = list_.next = &list_; }
  // A generator may outlive its loop.
  void loop_destroyed() override {
    while (list_.next != &list_) {
      static_cast<GeneratorPromiseBase*>(list_.next)->unregister();
    }
  }

  void add(GeneratorPromiseBase& promise) {
    if (shut_down) {
      std::fprintf(stderr,
                   "ResourceWarning: asynchronous generator '%s' was scheduled "
                   "after shutdown_asyncgens()\n",
                   function_name(promise.where().function_name()).c_str());
    }
    promise.prev = list_.prev;
    promise.next = &list_;
    list_.prev->next = &promise;
    list_.prev = &promise;
  }
  std::vector<GeneratorPromiseBase*> all() const {
    std::vector<GeneratorPromiseBase*> promises;
    for (auto* node = list_.next; node != &list_; node = node->next) {
      promises.push_back(static_cast<GeneratorPromiseBase*>(node));
    }
    return promises;
  }

  bool has(const GeneratorPromiseBase* promise) const {
    for (auto* node = list_.next; node != &list_; node = node->next) {
      if (node == promise) return true;
    }
    return false;
  }

  bool shut_down = false;

 private:
  GeneratorListNode list_;
};

bool GeneratorPromiseBase::begin(bool closing) {
  switch (state_) {
    case kRunning:
      throw RuntimeError(std::string(closing ? "aclose()" : "anext()") +
                         ": asynchronous generator is already running");
    case kFinished:
      return false;
    case kCreated:
      if (closing) {
        state_ = kFinished;
        return false;
      }
      GeneratorDomain::of(get_running_loop()).add(*this);
      break;
    case kYielded:
      break;
  }
  closing_ = closing;
  state_ = kRunning;
  return true;
}

bool GeneratorPromiseBase::resume_for(PromiseBase& caller,
                                      GeneratorAwaiter& awaiter) {
  Step& now = step;
  if (!now.descend()) [[unlikely]] {
    now.next = this;
  } else {
    frame().resume();
    now.ascend();
    if (state_ != kRunning) return false;
  }
  set_caller(&caller);
  awaiter_ = &awaiter;
  task_ = step_task();
  return true;
}

void GeneratorPromiseBase::destroy() noexcept {
  report_destroyed();
  if (state_ != kRunning) {
    frame().destroy();
    return;
  }
  awaiter_->promise_ = nullptr;
  unregister();
  task_->cut_frames(*this, *awaiter_);
}

void GeneratorPromiseBase::unregister() noexcept {
  if (next == nullptr) return;
  prev->next = next;
  next->prev = prev;
  prev = next = nullptr;
}

void GeneratorPromiseBase::report_destroyed() noexcept {
  if (state_ != kYielded && state_ != kRunning) return;
  if (!debug_mode()) return;
  std::fprintf(stderr,
               "%s:%u: ResourceWarning: asynchronous generator '%s' was "
               "destroyed before it was closed\n",
               where().file_name(), static_cast<unsigned>(where().line()),
               function_name(where().function_name()).c_str());
}

const WaiterKind GeneratorAwaiter::kKind = {1, "destroyed generator", nullptr,
                                            nullptr};

void GeneratorAwaiter::throw_destroyed() {
  TaskCore& task = *step_task();
  task.check_cancelled();
  // The future that it waited for may have been cancelled in its stead.
  if (task.cancelling() > 0) {
    std::rethrow_exception(task.make_cancelled_error());
  }
  throw RuntimeError(
      "asynchronous generator was destroyed while it was running");
}

void CloseAwaiter::await_resume() {
  if (!check_entered()) return;
  if (promise_->outcome().failed()) {
    std::exception_ptr exception = promise_->outcome().take();
    if (exception_cast<GeneratorExit>(exception) != nullptr) return;
    std::rethrow_exception(exception);
  }
  if (promise_->state() == GeneratorPromiseBase::kYielded) {
    throw RuntimeError("async generator ignored GeneratorExit");
  }
}

namespace {

Coroutine<> close(GeneratorPromiseBase* promise) {
  // Another's cleanup may have destroyed it meanwhile.
  if (!GeneratorDomain::of(get_running_loop()).has(promise)) co_return;
  co_await Close(promise);
}

}  // namespace
}  // namespace internal

Coroutine<> shutdown_asyncgens() {
  auto& domain = internal::GeneratorDomain::of(get_running_loop());
  domain.shut_down = true;
  std::vector<Coroutine<>> closing;
  std::vector<const char*> functions;
  for (internal::GeneratorPromiseBase* promise : domain.all()) {
    if (promise->state() == internal::GeneratorPromiseBase::kFinished) continue;
    closing.push_back(internal::close(promise));
    functions.push_back(promise->where().function_name());
  }
  if (closing.empty()) co_return;
  const std::vector<Result<>> results =
      co_await gather(return_exceptions, std::move(closing));
  for (size_t i = 0; i < results.size(); ++i) {
    // As in Python, what is no Exception is no error here.
    const std::exception_ptr exception = results[i].exception();
    if (exception_cast<std::exception>(exception) == nullptr) continue;
    ExceptionContext report(
        "an error occurred during closing of asynchronous generator '" +
            internal::function_name(functions[i]) + "'",
        exception);
    get_running_loop().call_exception_handler(report);
  }
}

}  // namespace asyncio
