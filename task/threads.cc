#include "asyncio/task/threads.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

// A thread that joins executors, then makes the one call that it is given; left
// behind where nobody joins it. The joining is not part of the call, which may
// be cancelled: whoever drops an executor that was not joined would block.
class Joiner final : public Executor {
 public:
  explicit Joiner(std::vector<std::shared_ptr<Executor>> executors)
      : executors_(std::move(executors)) {}
  ~Joiner() override {
    if (thread_.joinable()) thread_.detach();
  }
  void submit(std::shared_ptr<Work> work) override {
    thread_ = std::thread([work = std::move(work), executors = executors_] {
      for (const std::shared_ptr<Executor>& executor : executors) {
        executor->join();
      }
      work->run();
    });
  }
  void join() override { thread_.join(); }

 private:
  const std::vector<std::shared_ptr<Executor>> executors_;
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
  Joiner joiner(domain.executors);
  Future<> joined = internal::start_thread_call<void>(loop, &joiner, [] {});
  bool late = false;
  TimerHandle timer;
  if (timeout) {
    timer =
        loop.call_later(*timeout, [joined, &late] { late = joined.cancel(); });
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
