// ASYNCIO_TEST: a GoogleTest test whose body is a coroutine, on a fresh loop with
// a virtual clock.
//
//   ASYNCIO_TEST(SleepTest, WakesAtItsDeadline) {
//     co_await sleep(1h);
//     EXPECT_EQ(elapsed(), 1h);
//   }
//
// EXPECT_* work as they are, `EXPECT_EQ(co_await f(), 1)` too. ASSERT_* return
// from the function, which a coroutine cannot: take CO_ASSERT_*, which end the
// body. Only in the body itself and in a Coroutine<>.
//
// A suite is made of ASYNCIO_TESTs alone, or of TESTs alone: GoogleTest does not
// mix their fixtures under one name.
//
// The test fails where its body throws, and where something was reported to the
// loop's exception handler that take_reports() did not take.
#ifndef ASYNCIO_TESTING_TESTING_H_
#define ASYNCIO_TESTING_TESTING_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {

// The base of every ASYNCIO_TEST. A fixture of yours derives from it and is named
// by ASYNCIO_TEST_F.
class AsyncTest : public ::testing::Test {
 protected:
  // The body.
  virtual Coroutine<> run_test() = 0;

  VirtualClock& clock() { return clock_; }
  // Virtual time since the test began.
  Duration elapsed() const { return clock_.elapsed(); }

  // What the loop's exception handler was told; clears the list. Reports that are
  // left at the end fail the test.
  std::vector<ExceptionContext> take_reports();

  void TestBody() override;

 private:
  VirtualClock clock_;
  std::vector<ExceptionContext> reports_;
};

}  // namespace asyncio

#define ASYNCIO_INTERNAL_TEST(Suite, Name, Fixture)                         \
  static_assert(sizeof(#Suite) > 1 && sizeof(#Name) > 1);                   \
  class Suite##_##Name##_AsyncTest : public Fixture {                       \
   private:                                                                 \
    ::asyncio::Coroutine<> run_test() override;                             \
    [[maybe_unused]] static const ::testing::TestInfo* const registered_;   \
  };                                                                        \
  const ::testing::TestInfo* const                                          \
      Suite##_##Name##_AsyncTest::registered_ = ::testing::RegisterTest(    \
          #Suite, #Name, nullptr, nullptr, __FILE__, __LINE__,              \
          []() -> Fixture* { return new Suite##_##Name##_AsyncTest; });     \
  ::asyncio::Coroutine<> Suite##_##Name##_AsyncTest::run_test()

#define ASYNCIO_TEST(Suite, Name) \
  ASYNCIO_INTERNAL_TEST(Suite, Name, ::asyncio::AsyncTest)
// With a fixture derived from asyncio::AsyncTest.
#define ASYNCIO_TEST_F(Fixture, Name) \
  ASYNCIO_INTERNAL_TEST(Fixture, Name, Fixture)

#define CO_ASSERT_TRUE(condition)                            \
  if (static_cast<bool>(condition)) {                        \
  } else {                                                   \
    ADD_FAILURE() << "Expected: true\n  Actual: " #condition \
                     " is false";                            \
    co_return;                                               \
  }
#define CO_ASSERT_FALSE(condition)                            \
  if (!static_cast<bool>(condition)) {                        \
  } else {                                                    \
    ADD_FAILURE() << "Expected: false\n  Actual: " #condition \
                     " is true";                              \
    co_return;                                                \
  }
#define ASYNCIO_INTERNAL_CO_ASSERT(Compare, a, b)                         \
  if (const ::testing::AssertionResult asyncio_result =                   \
          ::testing::internal::Compare(#a, #b, a, b)) {                   \
  } else {                                                                \
    ::testing::internal::AssertHelper(                                    \
        ::testing::TestPartResult::kNonFatalFailure, __FILE__, __LINE__,  \
        asyncio_result.failure_message()) = ::testing::Message();         \
    co_return;                                                            \
  }
#define CO_ASSERT_EQ(a, b) \
  ASYNCIO_INTERNAL_CO_ASSERT(EqHelper::Compare, a, b)
#define CO_ASSERT_NE(a, b) ASYNCIO_INTERNAL_CO_ASSERT(CmpHelperNE, a, b)
#define CO_ASSERT_LT(a, b) ASYNCIO_INTERNAL_CO_ASSERT(CmpHelperLT, a, b)
#define CO_ASSERT_LE(a, b) ASYNCIO_INTERNAL_CO_ASSERT(CmpHelperLE, a, b)
#define CO_ASSERT_GT(a, b) ASYNCIO_INTERNAL_CO_ASSERT(CmpHelperGT, a, b)
#define CO_ASSERT_GE(a, b) ASYNCIO_INTERNAL_CO_ASSERT(CmpHelperGE, a, b)

#endif  // ASYNCIO_TESTING_TESTING_H_
