// Awaiting runs in constant stack, whatever the compiler makes of it: each test
// runs on a thread with a stack of 256 KiB, far less than any recursion needs.
#include <chrono>
#include <functional>
#include <memory>
#include <pthread.h>
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
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

constexpr int kDeep = 100'000;
constexpr int kMany = 10'000'000;

// Sanitizers need room of their own.
constexpr size_t kStack = 256 * 1024;

void on_small_stack(std::function<void()> fn) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStack), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* p) -> void* {
                  (*static_cast<std::function<void()>*>(p))();
                  return nullptr;
                },
                &fn),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

// A Coroutine<> that runs there.
template <class F>
void run_on_small_stack(F body) {
  on_small_stack([&] { run(body); });
}

Coroutine<int> one() { co_return 1; }

Coroutine<int> descend(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await descend(depth - 1);
  co_return below + 1;
}

// The same, asleep or failing at its bottom.
Coroutine<int> descend_to(int depth, Coroutine<int> (*bottom)()) {
  if (depth == 0) {
    const int n = co_await bottom();
    co_return n;
  }
  const int below = co_await descend_to(depth - 1, bottom);
  co_return below + 1;
}
Coroutine<int> nap() { co_return co_await sleep(1ms, 0); }
Coroutine<int> nap_for_ever() {
  co_return co_await sleep(Duration::infinite(), 0);
}
Coroutine<int> fail() {
  co_await sleep(0s);
  throw ValueError("bottom");
}

TEST(StackDepthTest, ManyAwaitsOfCoroutinesThatEndAtOnce) {
  run_on_small_stack([]() -> Coroutine<> {
    int64_t sum = 0;
    for (int i = 0; i < kMany; ++i) sum += co_await one();
    EXPECT_EQ(sum, kMany);
  });
}

TEST(StackDepthTest, ManyAwaitsOfADoneFuture) {
  run_on_small_stack([]() -> Coroutine<> {
    Future<int> f = create_future<int>();
    f.set_result(1);
    int64_t sum = 0;
    for (int i = 0; i < 200'000; ++i) sum += co_await f;
    EXPECT_EQ(sum, 200'000);
  });
}

TEST(StackDepthTest, ADeepChainThatNeverSuspends) {
  run_on_small_stack([]() -> Coroutine<> {
    const int n = co_await descend(kDeep);
    EXPECT_EQ(n, kDeep);
  });
}

TEST(StackDepthTest, ADeepChainThatSuspendsAtItsBottom) {
  run_on_small_stack([]() -> Coroutine<> {
    const int n = co_await descend_to(kDeep, nap);
    EXPECT_EQ(n, kDeep);
  });
}

TEST(StackDepthTest, ADeepChainThatIsThrownThrough) {
  run_on_small_stack([]() -> Coroutine<> {
    const Result<int> end = co_await as_result(descend_to(kDeep, fail));
    EXPECT_EQ(exception_message(end.exception()), "bottom");
  });
}

TEST(StackDepthTest, ADeepChainThatIsCancelled) {
  run_on_small_stack([]() -> Coroutine<> {
    Task<int> task = create_task(descend_to(kDeep, nap_for_ever));
    co_await sleep(1ms);
    EXPECT_EQ(task.get_stack().size(), kDeep + 2u);
    task.cancel();
    static_cast<void>(co_await as_result(task));
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(StackDepthTest, ADeepChainThatIsDestroyedWhileItWaits) {
  on_small_stack([] {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    int reports = 0;
    loop->set_exception_handler(
        [&](EventLoop&, const ExceptionContext&) { ++reports; });
    create_task(*loop, descend_to(kDeep, nap_for_ever));
    run_until_complete(*loop, sleep(1ms));
    loop = nullptr;
    EXPECT_EQ(reports, 1);
  });
}

// --- Tasks that await tasks.

Coroutine<int> link(Task<int> inner) {
  const int below = co_await inner;
  co_return below + 1;
}

Task<int> make_chain(EventLoop& loop, Coroutine<int> bottom) {
  Task<int> task = create_task(loop, std::move(bottom));
  for (int i = 0; i < kDeep; ++i) {
    task = create_task(loop, link(std::move(task)));
  }
  return task;
}

TEST(StackDepthTest, AChainOfTasksThatEndsFromItsBottom) {
  run_on_small_stack([]() -> Coroutine<> {
    Task<int> task = make_chain(get_running_loop(), nap());
    const int n = co_await task;
    EXPECT_EQ(n, kDeep);
  });
}

TEST(StackDepthTest, AChainOfTasksThatIsCancelledAtItsTop) {
  run_on_small_stack([]() -> Coroutine<> {
    Task<int> task = make_chain(get_running_loop(), nap_for_ever());
    co_await sleep(1ms);
    task.cancel("all");
    const Result<int> end = co_await as_result(task);
    EXPECT_EQ(exception_message(end.exception()), "all");
  });
}

TEST(StackDepthTest, AChainOfTasksThatIsCancelledBeforeItStarts) {
  run_on_small_stack([]() -> Coroutine<> {
    Task<int> task = make_chain(get_running_loop(), nap_for_ever());
    for (const AnyTask& each : all_tasks()) {
      if (each != current_task()) each.cancel();
    }
    static_cast<void>(co_await as_result(task));
    EXPECT_TRUE(task.cancelled());
  });
}

TEST(StackDepthTest, AChainOfTasksThatIsDestroyedWithItsLoop) {
  on_small_stack([] {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    int reports = 0;
    loop->set_exception_handler(
        [&](EventLoop&, const ExceptionContext&) { ++reports; });
    make_chain(*loop, nap_for_ever());
    run_until_complete(*loop, sleep(1ms));
    loop = nullptr;
    EXPECT_EQ(reports, kDeep + 1);
  });
}

// --- Futures whose callbacks hold the next future.

std::vector<Future<>> make_futures(EventLoop& loop, bool from_the_end) {
  std::vector<Future<>> futures;
  for (int i = 0; i <= kDeep; ++i) futures.push_back(create_future<>(loop));
  for (int i = 0; i < kDeep; ++i) {
    const int at = from_the_end ? kDeep - 1 - i : i;
    futures[at].add_done_callback(
        [next = futures[at + 1]] { next.set_result(); });
  }
  return futures;
}

TEST(StackDepthTest, AChainOfFuturesThatResolveEachOther) {
  run_on_small_stack([]() -> Coroutine<> {
    std::vector<Future<>> futures = make_futures(get_running_loop(), false);
    futures.front().set_result();
    co_await futures.back();
  });
}

TEST(StackDepthTest, AChainOfPendingFuturesThatIsDropped) {
  on_small_stack([] {
    std::unique_ptr<EventLoop> loop = new_event_loop();
    for (bool from_the_end : {false, true}) {
      std::vector<Future<>> futures = make_futures(*loop, from_the_end);
      Future<> first = futures.front();
      futures.clear();
      first = Future<>();
    }
  });
}

}  // namespace
}  // namespace asyncio
