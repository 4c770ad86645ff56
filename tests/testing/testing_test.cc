#include "asyncio/testing/testing.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

ASYNCIO_TEST(AsyncioTestTest, RunsItsBodyInATaskOnAVirtualClock) {
  EXPECT_EQ(elapsed(), 0s);
  EXPECT_TRUE(current_task());
  co_await sleep(1h);
  EXPECT_EQ(elapsed(), 1h);
  EXPECT_EQ(get_running_loop().time(), clock().now());
}

class FixtureTest : public AsyncTest {
 protected:
  void SetUp() override { text_ = "set up"; }
  std::string text_;
};

ASYNCIO_TEST_F(FixtureTest, SeesItsMembers) {
  EXPECT_EQ(text_, "set up");
  co_return;
}

ASYNCIO_TEST(AsyncioTestTest, CoAssertsPassOnWhatHolds) {
  CO_ASSERT_TRUE(true);
  CO_ASSERT_FALSE(false);
  CO_ASSERT_EQ(1, 1);
  CO_ASSERT_NE(1, 2);
  CO_ASSERT_LT(1, 2);
  CO_ASSERT_LE(1, 1);
  CO_ASSERT_GT(2, 1);
  CO_ASSERT_GE(2, 2);
}

// --- Tests that fail: run by hand, their failures counted.

class ByHand : public AsyncTest {
 public:
  using AsyncTest::TestBody;
  explicit ByHand(std::function<Coroutine<>(ByHand&)> body)
      : body_(std::move(body)) {}
  using AsyncTest::take_reports;

 private:
  Coroutine<> run_test() override { return body_(*this); }
  std::function<Coroutine<>(ByHand&)> body_;
};

// The texts of its failures.
template <class F>
std::vector<std::string> failures_of(F body) {
  ::testing::TestPartResultArray failures;
  {
    ByHand test(body);
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::
            INTERCEPT_ONLY_CURRENT_THREAD,
        &failures);
    test.TestBody();
  }
  std::vector<std::string> texts;
  for (int i = 0; i < failures.size(); ++i) {
    texts.push_back(failures.GetTestPartResult(i).message());
  }
  return texts;
}

std::string only_failure(const std::vector<std::string>& failures) {
  if (failures.size() != 1) return std::to_string(failures.size());
  return failures[0];
}

TEST(FailingTest, CoAssertEndsTheBodyWithOneFailure) {
  static bool went_on;
  went_on = false;
  const auto equal = failures_of([](ByHand&) -> Coroutine<> {
    CO_ASSERT_EQ(1 + 1, 3);
    went_on = true;
  });
  EXPECT_NE(only_failure(equal).find("1 + 1"), std::string::npos);
  const auto condition = failures_of([](ByHand&) -> Coroutine<> {
    CO_ASSERT_TRUE(1 > 2);
    went_on = true;
  });
  EXPECT_NE(only_failure(condition).find("1 > 2"), std::string::npos);
  EXPECT_FALSE(went_on);
}

TEST(FailingTest, AThrowOfTheBodyIsAFailureWithNameAndText) {
  const auto failures = failures_of([](ByHand&) -> Coroutine<> {
    co_await sleep(1s);
    throw ValueError("spam");
  });
  EXPECT_NE(
      only_failure(failures).find("the test's body threw ValueError: spam"),
      std::string::npos);
}

TEST(FailingTest, AReportThatNobodyTookIsAFailure) {
  const auto failures = failures_of([](ByHand&) -> Coroutine<> {
    get_running_loop().call_soon([] { throw ValueError("lost"); });
    co_await sleep(1s);
  });
  EXPECT_NE(only_failure(failures).find("ValueError: lost"), std::string::npos);
}

TEST(FailingTest, AReportThatWasTakenIsNone) {
  const auto failures = failures_of([](ByHand& test) -> Coroutine<> {
    get_running_loop().call_soon([] { throw ValueError("lost"); });
    co_await sleep(1s);
    EXPECT_EQ(test.take_reports().size(), 1u);
  });
  EXPECT_TRUE(failures.empty());
}

TEST(FailingTest, ATaskThatNeverEndsIsAFailure) {
  const auto failures = failures_of([](ByHand&) -> Coroutine<> {
    auto spawns = []() -> Coroutine<> {
      try {
        co_await sleep(1h);
      } catch (const CancelledError&) {
        create_task(sleep(1h));  // too late to be cancelled
      }
    };
    create_task(spawns);
    co_await sleep(1s);
  });
  EXPECT_NE(
      only_failure(failures).find("Task was destroyed but it is pending!"),
      std::string::npos);
}

TEST(VirtualClockTest, JumpsToTheNextDeadlineWhenTheLoopIsIdle) {
  VirtualClock clock;
  Runner runner(new_event_loop({.clock = &clock}));
  std::string log;
  auto note = [&](char name, Duration delay) -> Coroutine<> {
    co_await sleep(delay);
    log += name;
  };
  auto main = [&]() -> Coroutine<> {
    create_task(note('b', 2h));
    create_task(note('a', 1h));
    co_await sleep(3h);
  };
  runner.run(main);
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(clock.elapsed(), 3h);
}

TEST(VirtualClockTest, StandsStillWhileAnythingRunsUnlessItIsAdvanced) {
  VirtualClock clock;
  EXPECT_EQ(clock.now(), VirtualClock::kStart);
  clock.advance(5ms);
  clock.advance(-1s);
  EXPECT_EQ(clock.elapsed(), 5ms);
}

}  // namespace
}  // namespace asyncio
