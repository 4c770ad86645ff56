#include "asyncio/testing/testing.h"

#include <exception>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/runner.h"

namespace asyncio {

std::vector<ExceptionContext> AsyncTest::take_reports() {
  return std::exchange(reports_, {});
}

void AsyncTest::TestBody() {
  {
    Runner runner(new_event_loop({.clock = &clock_}));
    runner.get_loop().set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          reports_.push_back(report);
        });
    std::exception_ptr exception;
    try {
      runner.run(run_test());
      runner.close();
    } catch (...) {
      exception = std::current_exception();
    }
    if (exception) {
      ADD_FAILURE() << "the test's body threw " << exception_name(exception)
                    << ": " << exception_message(exception);
    }
    for (const ExceptionContext& report : std::exchange(reports_, {})) {
      ADD_FAILURE() << "the loop was told: " << report.message << " ("
                    << exception_name(report.exception) << ": "
                    << exception_message(report.exception) << ")";
    }
  }
  // What the loop's end itself had to report: tasks that never ended.
  for (const ExceptionContext& report : std::exchange(reports_, {})) {
    ADD_FAILURE() << "the loop was told at its end: " << report.message;
  }
}

}  // namespace asyncio
