// What lives how long: arguments, locals, callables, loops that go first.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// A loop that is not run further, and the reports of its end.
class LifetimeTest : public ::testing::Test {
 protected:
  LifetimeTest() {
    loop_->set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          reports_.push_back(report.message);
        });
  }
  void turn() { run_until_complete(*loop_, sleep(0s)); }
  void end() { loop_ = nullptr; }

  std::unique_ptr<EventLoop> loop_ = new_event_loop();
  std::vector<std::string> reports_;
};

const std::vector<std::string> kOnePending = {
    "Task was destroyed but it is pending!"};

TEST_F(LifetimeTest, ATaskThatNeverRanIsReportedAndItsArgumentsDestroyed) {
  auto shared = std::make_shared<int>(0);
  auto body = [](std::shared_ptr<int>) -> Coroutine<> { co_return; };
  create_task(*loop_, body(shared));
  end();
  EXPECT_EQ(reports_, kOnePending);
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(LifetimeTest, ASuspendedTasksLocalsDieInnermostFirst) {
  std::string log;
  struct Local {
    Local(std::string& log, char name) : log(log), name(name) {}
    ~Local() { log += name; }
    std::string& log;
    char name;
  };
  auto inner = [&]() -> Coroutine<> {
    Local local(log, 'i');
    co_await sleep(1h);
  };
  auto outer = [&]() -> Coroutine<> {
    Local local(log, 'o');
    static_cast<void>(co_await as_result(inner()));
  };
  create_task(*loop_, outer);
  turn();
  end();
  EXPECT_EQ(reports_, kOnePending);
  EXPECT_EQ(log, "io");
}

TEST_F(LifetimeTest, AHandleOutlivesLoopAndTaskAndStaysPending) {
  Task<> task = create_task(*loop_, sleep(1h));
  turn();
  end();
  EXPECT_FALSE(task.done());
  EXPECT_THROW(task.result(), InvalidStateError);
  EXPECT_TRUE(task.cancel());
  EXPECT_EQ(task.cancelling(), 1);
  EXPECT_TRUE(task.get_stack().empty());
}

TEST_F(LifetimeTest, TasksThatAwaitEachOthersFuturesGoWithTheLoop) {
  Future<> f = create_future<>(*loop_);
  auto waits = [&]() -> Coroutine<> { co_await f; };
  for (int i = 0; i < 3; ++i) create_task(*loop_, waits);
  turn();
  end();
  EXPECT_EQ(reports_.size(), 3u);
  EXPECT_TRUE(f.cancel());
}

// Resolves a future as it dies.
class ResolvesAtItsEnd {
 public:
  explicit ResolvesAtItsEnd(Future<> f) : future_(std::move(f)) {}
  ~ResolvesAtItsEnd() {
    if (!future_.done()) future_.set_result();
  }

 private:
  Future<> future_;
};

// The second task would be made ready, and then be destroyed in the queue.
TEST_F(LifetimeTest, OneTasksEndMayResolveWhatAnotherWaitsOn) {
  Future<> f = create_future<>(*loop_);
  auto holds = [&]() -> Coroutine<> {
    ResolvesAtItsEnd local(f);
    co_await sleep(1h);
  };
  auto waits = [&]() -> Coroutine<> { co_await f; };
  create_task(*loop_, holds);
  create_task(*loop_, waits);
  turn();
  end();
  EXPECT_EQ(reports_.size(), 2u);
  EXPECT_TRUE(f.done());
}

TEST_F(LifetimeTest, AReportMayResolveAndCancelWhatOthersWaitOn) {
  Future<> f = create_future<>(*loop_);
  auto waits = [&]() -> Coroutine<> { co_await f; };
  create_task(*loop_, sleep(1h));
  create_task(*loop_, waits);
  Task<> last = create_task(*loop_, sleep(1h));
  loop_->set_exception_handler([&](EventLoop&, const ExceptionContext&) {
    if (!f.done()) f.set_result();
    last.cancel();
  });
  turn();
  end();
  EXPECT_FALSE(last.done());
}

TEST_F(LifetimeTest, ACallbackOfAFutureIsDestroyedUncalledWithTheFuture) {
  auto shared = std::make_shared<int>(0);
  Future<> f = create_future<>(*loop_);
  f.add_done_callback([shared] { ADD_FAILURE(); });
  f = Future<>();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(LifetimeTest, ACallbackOfAFutureThatIsResolvedAfterItsLoopIsDestroyed) {
  auto shared = std::make_shared<int>(0);
  Future<> f = create_future<>(*loop_);
  f.add_done_callback([shared] { ADD_FAILURE(); });
  end();
  f.set_result();
  EXPECT_EQ(shared.use_count(), 1);
}

// Nobody runs what the library itself would do then: it is dropped, and with it the
// shares that it holds (the sanitizer would say so).
TEST_F(LifetimeTest, AFutureThatOthersStandForIsResolvedAfterItsLoop) {
  Future<int> resolved = create_future<int>(*loop_);
  Future<int> cancelled = create_future<int>(*loop_);
  Future<int> shielding = shield(resolved);
  Future<int> given_up = shield(cancelled);
  auto gathered = gather(resolved, resolved, cancelled);
  static_cast<void>(gather(resolved, cancelled));  // only they hold it
  end();
  EXPECT_TRUE(given_up.cancel());
  resolved.set_result(1);
  cancelled.cancel();
  EXPECT_FALSE(shielding.done());
  EXPECT_FALSE(gathered.done());
}

TEST_F(LifetimeTest, AScheduledCallbackOfAClosedLoopIsDestroyedUncalled) {
  auto shared = std::make_shared<int>(0);
  Future<> f = create_future<>(*loop_);
  f.add_done_callback([shared] { ADD_FAILURE(); });
  f.set_result();
  loop_->close();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(LifetimeTest, AFutureIsKeptByItsScheduledCallbacks) {
  std::string log;
  {
    Future<int> f = create_future<int>(*loop_);
    f.add_done_callback(
        [&](Future<int> done) { log += std::to_string(done.result()); });
    f.set_result(7);
  }
  turn();
  EXPECT_EQ(log, "7");
}

TEST_F(LifetimeTest, TheAwaitedFutureIsKeptByTheAwait) {
  auto waits = [&]() -> Coroutine<int> {
    Future<int> f = create_future<int>();
    get_running_loop().call_soon([f] { f.set_result(3); });
    co_return co_await std::move(f);
  };
  EXPECT_EQ(run_until_complete(*loop_, waits), 3);
}

TEST_F(LifetimeTest, AResultDiesWithTheLastHandle) {
  auto shared = std::make_shared<int>(0);
  auto gives = [&]() -> Coroutine<std::shared_ptr<int>> { co_return shared; };
  Task<std::shared_ptr<int>> task = create_task(*loop_, gives);
  turn();
  EXPECT_TRUE(task.done());
  EXPECT_EQ(shared.use_count(), 2);
  task = {};
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace asyncio
