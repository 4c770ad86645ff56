#include "asyncio/task/threads.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/executor.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/thread_domain.h"

namespace asyncio {
namespace {

// A thread for one call; left behind where nobody joins it.
class CallThread final : public Executor {
 public:
  ~CallThread() override {
    if (thread_.joinable()) thread_.detach();
  }
  void submit(std::shared_ptr<Work> work) override {
    thread_ = std::thread([work = std::move(work)] { work->run(); });
  }
  void join() override { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace

void set_default_executor(EventLoop& loop, std::unique_ptr<Executor> executor) {
  internal::LoopAccess::check_usable(loop);
  internal::ThreadDomain& domain = internal::ThreadDomain::of(loop);
  domain.has_default = executor != nullptr;
  if (executor) domain.executors.push_back(std::move(executor));
}

Coroutine<> shutdown_default_executor(std::optional<Duration> timeout) {
  EventLoop& loop = get_running_loop();
  internal::ThreadDomain& domain = internal::ThreadDomain::of(loop);
  domain.shutdown_called = true;
  if (domain.executors.empty()) co_return;
  // Joining blocks: a thread of its own does it.
  CallThread joiner;
  auto join = [executors = domain.executors] {
    for (const std::shared_ptr<Executor>& executor : executors) {
      executor->join();
    }
  };
  Future<> joined =
      internal::start_thread_call<void>(loop, &joiner, std::move(join));
  bool late = false;
  TimerHandle timer;
  if (timeout) {
    timer = loop.call_later(*timeout, [joined, &late] {
      late = joined.cancel();
    });
  }
  Result<> end = co_await as_result(joined);
  if (timer) timer.cancel();
  if (!late) end.rethrow();
  domain.executors.clear();
  domain.has_default = false;
  if (late) {
    std::fprintf(stderr,
                 "RuntimeWarning: The executor did not finish joining its "
                 "threads within %s.\n",
                 to_string(*timeout).c_str());
  } else {
    joiner.join();
  }
}

}  // namespace asyncio
