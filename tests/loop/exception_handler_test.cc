#include <exception>
#include <memory>
#include <string>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

class ExceptionHandlerTest : public LoopFixture {
 protected:
  // What `fn` prints on standard error.
  template <class F>
  static std::string printed(F fn) {
    testing::internal::CaptureStderr();
    fn();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(ExceptionHandlerTest, IsToldWhatACallbackThrows) {
  Handle handle = loop.call_soon([] { throw ValueError("bad"); });
  loop.call_soon(note("next"));
  run_iterations();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message, "Exception in callback");
  EXPECT_EQ(exception_name(reports[0].exception), "ValueError");
  EXPECT_EQ(exception_message(reports[0].exception), "bad");
  EXPECT_EQ(reports[0].handle, handle);
  EXPECT_FALSE(reports[0].future);
  EXPECT_FALSE(reports[0].task);
  EXPECT_EQ(log, "next");
  reports.clear();
}

TEST_F(ExceptionHandlerTest, IsToldOfTimersAndOfWhatIsNoStdException) {
  loop.call_later(1s, [] { throw CancelledError("c"); });
  loop.call_later(2s, [] { throw 7; });
  run_for(3s);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(exception_name(reports[0].exception), "CancelledError");
  EXPECT_EQ(exception_name(reports[1].exception), "int");
  reports.clear();
}

TEST_F(ExceptionHandlerTest, IsGivenTheReportUnchanged) {
  loop.call_exception_handler(
      {"my message", std::make_exception_ptr(ValueError("own"))});
  loop.call_exception_handler({"no exception"});
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].message, "my message");
  EXPECT_EQ(exception_message(reports[0].exception), "own");
  EXPECT_EQ(reports[1].message, "no exception");
  EXPECT_EQ(reports[1].exception, nullptr);
  reports.clear();
}

TEST_F(ExceptionHandlerTest, IsGivenItsLoop) {
  EventLoop* seen = nullptr;
  loop.set_exception_handler(
      [&](EventLoop& l, const ExceptionContext&) { seen = &l; });
  EXPECT_TRUE(loop.get_exception_handler());
  loop.call_exception_handler({"x"});
  EXPECT_EQ(seen, &loop);
  loop.set_exception_handler(nullptr);
  EXPECT_FALSE(loop.get_exception_handler());
}

TEST_F(ExceptionHandlerTest, RunsInTheContextOfTheCallback) {
  const ContextVar<int> number("number", 0);
  loop.set_exception_handler([&](EventLoop&, const ExceptionContext&) {
    log += std::to_string(number.get());
  });
  Context context;
  loop.call_soon({.context = &context}, [&] {
    number.set(4);
    throw ValueError("x");
  });
  run_iterations();
  EXPECT_EQ(log, "4");
}

TEST_F(ExceptionHandlerTest, MayReplaceItselfWhileItRuns) {
  auto token = std::make_shared<int>(8);
  loop.set_exception_handler([&, token](EventLoop& l, const ExceptionContext&) {
    l.set_exception_handler(nullptr);
    log += std::to_string(*token);
  });
  loop.call_exception_handler({"x"});
  EXPECT_EQ(log, "8");
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(ExceptionHandlerTest, OneThatThrowsIsReportedByTheDefaultOne) {
  loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {
    throw RuntimeError("in handler");
  });
  loop.call_soon([] { throw ValueError("bad"); });
  loop.call_soon(note("next"));
  EXPECT_EQ(printed([this] { run_iterations(); }),
            "Unhandled error in exception handler\n"
            "context: Exception in callback (ValueError: bad)\n"
            "RuntimeError: in handler\n");
  EXPECT_EQ(log, "next");
}

TEST_F(ExceptionHandlerTest, InterruptsPassThroughIt) {
  loop.set_exception_handler(
      [](EventLoop&, const ExceptionContext&) { throw SystemExit(2); });
  loop.call_soon([] { throw ValueError("bad"); });
  loop.call_soon(note("rest"));
  EXPECT_THROW(loop.run_forever(), SystemExit);
  run_iterations();
  EXPECT_EQ(log, "rest");
}

TEST_F(ExceptionHandlerTest, DefaultOnePrintsMessageSubjectAndException) {
  loop.set_exception_handler(nullptr);
  ExceptionContext report("Something went wrong",
                          std::make_exception_ptr(ValueError("bad")));
  report.handle = loop.call_soon([] {});
  report.source = "main.cc:3";
  const std::string text =
      printed([&] { loop.call_exception_handler(report); });
  EXPECT_EQ(text, "Something went wrong\nhandle: " + to_string(*report.handle) +
                      "\nsource: main.cc:3\nValueError: bad\n");
}

TEST_F(ExceptionHandlerTest, DefaultOneHasAMessageWhereThereIsNone) {
  EXPECT_EQ(printed([&] { loop.default_exception_handler({}); }),
            "Unhandled exception in event loop\n");
}

TEST_F(ExceptionHandlerTest, ReportsMayBeKeptBeyondTheLoop) {
  auto token = std::make_shared<int>();
  loop.call_soon([token] { throw ValueError("bad"); });
  run_iterations();
  EXPECT_EQ(token.use_count(), 1);
  end_loop();
  EXPECT_EQ(exception_message(reports.at(0).exception), "bad");
  reports.clear();
}

}  // namespace
}  // namespace asyncio
