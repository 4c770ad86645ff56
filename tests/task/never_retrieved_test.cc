// Exceptions that nobody fetched are reported when the last handle goes, once.
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<> fail() {
  co_await sleep(0s);
  throw ValueError("unseen");
}

class NeverRetrievedTest : public AsyncTest {
 protected:
  Future<> failed() {
    Future<> f = create_future<>();
    f.set_exception(ValueError("unseen"));
    return f;
  }
};

ASYNCIO_TEST_F(NeverRetrievedTest, OfAFutureIsReportedWithTheLastHandle) {
  Future<> f = failed();
  Future<> copy = f;
  f = Future<>();
  EXPECT_EQ(take_reports().size(), 0u);
  copy = Future<>();
  const std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "Future exception was never retrieved");
  EXPECT_EQ(exception_message(reports[0].exception), "unseen");
  EXPECT_FALSE(reports[0].task);
}

ASYNCIO_TEST_F(NeverRetrievedTest, OfATaskNamesTheTask) {
  create_task(fail(), {.name = "lost"});
  co_await sleep(1s);
  const std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "Task exception was never retrieved");
  EXPECT_EQ(reports[0].task.get_name(), "lost");
  EXPECT_TRUE(reports[0].future);
}

ASYNCIO_TEST_F(NeverRetrievedTest, InDebugModeSaysWhereTheTaskComesFrom) {
  get_running_loop().set_debug(true);
  create_task(fail());
  co_await sleep(1s);
  const std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_NE(reports[0].source.find("never_retrieved_test.cc:"),
            std::string::npos);
  EXPECT_NE(reports[0].source.find("fail"), std::string::npos);
}

ASYNCIO_TEST_F(NeverRetrievedTest, LookingAtItInAnyWayIsEnough) {
  failed().exception();
  EXPECT_THROW(failed().result(), ValueError);
  EXPECT_THROW(co_await failed(), ValueError);
  AnyFuture(failed()).exception();
  failed().cancel();
  Task<> task = create_task(fail());
  EXPECT_THROW(co_await task, ValueError);
  EXPECT_EQ(take_reports().size(), 0u);
}

ASYNCIO_TEST_F(NeverRetrievedTest, AResultAndACancellationAreNeverReported) {
  create_future<>().set_result();
  create_future<>().cancel();
  Task<> task = create_task(fail());
  task.cancel();
  co_await sleep(1s);
  task = Task<>();
  EXPECT_EQ(take_reports().size(), 0u);
}

ASYNCIO_TEST_F(NeverRetrievedTest,
               TheReportMayKeepTheFutureWhichIsNotReportedAgain) {
  failed();
  std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].future.done());
  reports.clear();
  EXPECT_EQ(take_reports().size(), 0u);
}

TEST(NeverRetrievedHandlerTest, MayThrowAnInterruptWhichGoesNowhere) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  int calls = 0;
  loop->set_exception_handler([&](EventLoop&, const ExceptionContext&) {
    ++calls;
    throw KeyboardInterrupt();
  });
  create_future<>(*loop).set_exception(ValueError("v"));
  EXPECT_EQ(calls, 1);
}

TEST(NeverRetrievedHandlerTest, AfterTheLoopIsGoneItIsPrinted) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Future<> f = create_future<>(*loop);
  f.set_exception(ValueError("late"));
  loop = nullptr;
  ::testing::internal::CaptureStderr();
  f = Future<>();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("Future exception was never retrieved"),
            std::string::npos);
  EXPECT_NE(text.find("ValueError: late"), std::string::npos);
}

}  // namespace
}  // namespace asyncio
