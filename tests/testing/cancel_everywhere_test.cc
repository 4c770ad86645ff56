#include "asyncio/testing/cancel_everywhere.h"

#include "gtest/gtest.h"
#include "gtest/gtest-spi.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

TEST(CancelEverywhereTest, CancelsBeforeEachTurnAndTwice) {
  int begun = 0;
  const int rounds = cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    scene.start([&]() -> Coroutine<> {
      ++begun;
      co_await sleep(0s);
      auto r = co_await as_result(sleep(0s));
      co_await sleep(0s);
    });
    auto end = co_await scene.ended();
  });
  // Three turns of its own besides the first: cancelled before the first it never
  // begins.
  EXPECT_GT(rounds, 4);
  EXPECT_LT(begun, rounds);
}

TEST(CancelEverywhereTest, FindsATaskThatHangsWhenItIsCancelled) {
  EXPECT_NONFATAL_FAILURE(
      cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
        scene.start([]() -> Coroutine<> {
          Result<> slept = co_await as_result(sleep(1s));
          if (slept.cancelled()) co_await create_future<>();
        });
        auto end = co_await scene.ended();
      }),
      "hangs");
}

TEST(CancelEverywhereTest, FindsWhatIsLost) {
  EXPECT_NONFATAL_FAILURE(
      cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
        bool taken = false;
        scene.start([&]() -> Coroutine<> {
          taken = true;
          co_await sleep(1s);
          taken = false;
        });
        auto end = co_await scene.ended();
        if (taken) throw ValueError("lost");
      }),
      "the scene threw ValueError: lost");
}

}  // namespace
}  // namespace asyncio
