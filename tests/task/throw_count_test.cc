// How often a cancellation is thrown: once, and once more at each coroutine's edge
// that it leaves, anew unless it has a text; by as_result() at the innermost await,
// never.
#include <cxxabi.h>
#include <dlfcn.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <typeinfo>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

// A sanitizer's own throw must be the one that is called.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_THROWS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_THROWS 0
#endif
#endif
#ifndef COUNTS_THROWS
#define COUNTS_THROWS 1
#endif

namespace {
int throws = 0;
int rethrows = 0;
}  // namespace

#if COUNTS_THROWS
// In the place of the C++ runtime's, which they call.
namespace __cxxabiv1 {
extern "C" void __cxa_throw(void* object, std::type_info* type,
                            void (*destroy)(void*)) {
  ++throws;
  static auto* const real =
      reinterpret_cast<void (*)(void*, std::type_info*, void (*)(void*))>(
          dlsym(RTLD_NEXT, "__cxa_throw"));
  real(object, type, destroy);
  __builtin_unreachable();
}
extern "C" void __cxa_rethrow() {
  ++rethrows;
  static auto* const real =
      reinterpret_cast<void (*)()>(dlsym(RTLD_NEXT, "__cxa_rethrow"));
  real();
  __builtin_unreachable();
}
}  // namespace __cxxabiv1
namespace std {
void rethrow_exception(exception_ptr exception) {
  ++rethrows;
  static auto* const real = reinterpret_cast<void (*)(exception_ptr)>(dlsym(
      RTLD_NEXT,
      "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE"));
  real(std::move(exception));
  __builtin_unreachable();
}
}  // namespace std
#endif

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// `wait()` below `depth` plain awaits.
template <class W>
Coroutine<> below(int depth, W& wait) {
  if (depth == 0) {
    co_await wait();
  } else {
    co_await below(depth - 1, wait);
  }
}

// Cancels it there; the counters tell what that took.
template <class W>
Coroutine<> cancel_below(int depth, W& wait, std::string text = "") {
  Task<> task = create_task(below(depth, wait));
  co_await sleep(0s);
  throws = rethrows = 0;
  task.cancel(text);
  const Result<> end = co_await as_result(task);
  EXPECT_TRUE(task.cancelled());
  EXPECT_EQ(exception_message(end.exception()), text);
}

class ThrowCountTest : public AsyncTest {
 protected:
  void SetUp() override {
    if (!COUNTS_THROWS) GTEST_SKIP() << "a sanitizer has throws of its own";
  }
};

ASYNCIO_TEST_F(ThrowCountTest, OnceForEachFrame) {
  Lock lock;
  co_await lock.acquire();
  Semaphore semaphore(0);
  Queue<int> queue;
  auto sleeps = [] { return sleep(1h); };
  auto locks = [&] { return lock.acquire(); };
  auto takes = [&] { return semaphore.acquire(); };
  auto gets = [&] { return queue.get(); };
  for (const int depth : {0, 1, 4, 16, 64}) {
    SCOPED_TRACE(depth);
    co_await cancel_below(depth, sleeps);
    EXPECT_EQ(throws, 1 + depth);
    EXPECT_EQ(rethrows, 0);
    co_await cancel_below(depth, locks);
    EXPECT_EQ(throws, 1 + depth);
    EXPECT_EQ(rethrows, 0);
    co_await cancel_below(depth, takes);
    EXPECT_EQ(throws, 1 + depth);
    EXPECT_EQ(rethrows, 0);
    co_await cancel_below(depth, gets);
    EXPECT_EQ(throws, 1 + depth);
    EXPECT_EQ(rethrows, 0);
    co_await cancel_below(depth, sleeps, "late");
    EXPECT_EQ(throws, 1);
    EXPECT_EQ(rethrows, depth);
  }
}

ASYNCIO_TEST_F(ThrowCountTest, NoneWhereTheInnermostTakesItAsAResult) {
  auto wait = []() -> Coroutine<> {
    const Result<> end = co_await as_result(sleep(1h));
    EXPECT_FALSE(end.has_value());
  };
  Task<> task = create_task(wait);
  co_await sleep(0s);
  throws = rethrows = 0;
  task.cancel();
  co_await task;
  EXPECT_EQ(throws, 0);
  EXPECT_EQ(rethrows, 0);
}

}  // namespace
}  // namespace asyncio
