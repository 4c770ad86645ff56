#include "asyncio/task/async_generator.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Appends a letter where it is destroyed.
class Note {
 public:
  Note(std::string& log, char letter) : log_(log), letter_(letter) {}
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;
  ~Note() { log_ += letter_; }

 private:
  std::string& log_;
  char letter_;
};

AsyncGenerator<int> count(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
}
AsyncGenerator<int> count_slowly(int n) {
  for (int i = 0; i < n; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}
AsyncGenerator<int> fail_after(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
  co_await sleep(1s);
  throw ValueError("from generator");
}
// Sleeps before its first value.
AsyncGenerator<int> noted_sleep(std::string& log, Duration time) {
  Note note(log, 'd');
  co_await sleep(time);
  co_yield 1;
}
// Suspended for ever at its `n`th co_yield; notes how it ended.
AsyncGenerator<int> logged(std::string& log, char letter = 'd') {
  Note note(log, letter);
  bool closed = false;
  try {
    while (true) co_yield 1;
  } catch (const GeneratorExit&) {
    closed = true;
  }
  if (closed) {
    co_await sleep(1s);
    log += 'c';
  }
}
template <class T>
Coroutine<std::vector<T>> collect(AsyncGenerator<T> generator) {
  std::vector<T> all;
  while (auto item = co_await generator.next()) {
    all.push_back(std::move(*item));
  }
  co_return all;
}

// --- next()

ASYNCIO_TEST(AsyncGeneratorTest, GivesItsValuesThenNothingEverAfter) {
  AsyncGenerator<int> it = count(2);
  EXPECT_EQ(co_await it.next(), 0);
  EXPECT_EQ(co_await it.next(), 1);
  EXPECT_EQ(co_await it.next(), std::nullopt);
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorTest, RunsNothingBeforeItIsAsked) {
  bool started = false;
  auto body = [&]() -> AsyncGenerator<int> {
    started = true;
    co_yield 1;
  };
  AsyncGenerator<int> it = body();
  co_await sleep(1s);
  EXPECT_FALSE(started);
  co_await it.next();
  EXPECT_TRUE(started);
}

ASYNCIO_TEST(AsyncGeneratorTest, IsIteratedByAForLoop) {
  int sum = 0;
  for (auto it = count(5); auto item = co_await it.next();) sum += *item;
  EXPECT_EQ(sum, 10);
}

ASYNCIO_TEST(AsyncGeneratorTest, AwaitsBetweenItsValues) {
  const std::vector<int> all = co_await collect(count_slowly(3));
  EXPECT_EQ(all, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(elapsed(), 3s);
}

ASYNCIO_TEST(AsyncGeneratorTest, WithoutAnAwaitNobodyElseHasATurn) {
  bool other = false;
  Task<> task = create_task([&]() -> Coroutine<> {
    other = true;
    co_return;
  });
  for (auto it = count(3); co_await it.next();) EXPECT_FALSE(other);
  co_await task;
}

ASYNCIO_TEST(AsyncGeneratorTest, ItsValuesMayBeMoveOnly) {
  auto boxes = []() -> AsyncGenerator<std::unique_ptr<int>> {
    co_yield std::make_unique<int>(1);
    auto two = std::make_unique<int>(2);
    co_yield std::move(two);
  };
  auto it = boxes();
  auto one = co_await it.next();
  auto two = co_await it.next();
  EXPECT_EQ(**one, 1);
  EXPECT_EQ(**two, 2);
}

ASYNCIO_TEST(AsyncGeneratorTest, AValueMayBeAwaitedAndConverted) {
  auto texts = []() -> AsyncGenerator<std::string> {
    co_yield "one";
    co_yield co_await sleep(1s, std::string("two"));
  };
  const std::vector<std::string> all = co_await collect(texts());
  EXPECT_EQ(all, (std::vector<std::string>{"one", "two"}));
}

ASYNCIO_TEST(AsyncGeneratorTest, MayBeMovedWhileItIsSuspended) {
  AsyncGenerator<int> first = count(3);
  co_await first.next();
  AsyncGenerator<int> second = std::move(first);
  EXPECT_EQ(co_await second.next(), 1);
  EXPECT_EQ(co_await first.next(), std::nullopt);
  first = std::move(second);
  EXPECT_EQ(co_await first.next(), 2);
}

ASYNCIO_TEST(AsyncGeneratorTest, RunsInTheContextOfWhoeverAsks) {
  ContextVar<int> var("var", 0);
  auto values = [&]() -> AsyncGenerator<int> {
    while (true) co_yield var.get();
  };
  AsyncGenerator<int> it = values();
  var.set(1);
  EXPECT_EQ(co_await it.next(), 1);
  auto ask = [&]() -> Coroutine<int> {
    var.set(2);
    co_return (co_await it.next()).value();
  };
  EXPECT_EQ(co_await create_task(ask), 2);
  EXPECT_EQ(co_await it.next(), 1);
}

ASYNCIO_TEST(AsyncGeneratorTest, IsGoneOnAfterABreak) {
  AsyncGenerator<int> it = count_slowly(5);
  while (auto item = co_await it.next()) {
    if (*item == 1) break;
  }
  EXPECT_EQ(co_await it.next(), 2);
}

ASYNCIO_TEST(AsyncGeneratorTest, AnExceptionEndsIt) {
  AsyncGenerator<int> it = fail_after(1);
  EXPECT_EQ(co_await it.next(), 0);
  Result<std::optional<int>> result = co_await as_result(it.next());
  EXPECT_NE(result.get_if<ValueError>(), nullptr);
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorTest, AnExceptionBeforeTheFirstValueIsThrownToo) {
  AsyncGenerator<int> it = []() -> AsyncGenerator<int> {
    throw ValueError("at once");
    co_return;
  }();
  Result<std::optional<int>> result = co_await as_result(it.next());
  EXPECT_NE(result.get_if<ValueError>(), nullptr);
}

ASYNCIO_TEST(AsyncGeneratorTest, ASecondAskerIsRefusedAndTheFirstUndisturbed) {
  AsyncGenerator<int> it = count_slowly(2);
  Task<std::optional<int>> first = create_task(it.next());
  co_await sleep(0s);
  Result<std::optional<int>> second = co_await as_result(it.next());
  EXPECT_EQ(exception_message(second.exception()),
            "anext(): asynchronous generator is already running");
  Result<> close = co_await as_result(it.aclose());
  EXPECT_EQ(exception_message(close.exception()),
            "aclose(): asynchronous generator is already running");
  EXPECT_EQ(co_await first, 0);
  EXPECT_EQ(co_await it.next(), 1);
}

ASYNCIO_TEST(AsyncGeneratorTest, AskingItselfIsRefused) {
  AsyncGenerator<int>* self = nullptr;
  auto body = [&]() -> AsyncGenerator<int> {
    co_await self->next();
    co_yield 1;
  };
  AsyncGenerator<int> it = body();
  self = &it;
  Result<std::optional<int>> result = co_await as_result(it.next());
  EXPECT_NE(result.get_if<RuntimeError>(), nullptr);
}

ASYNCIO_TEST(AsyncGeneratorTest, CancellingTheAskerEndsIt) {
  std::string log;
  AsyncGenerator<int> it = noted_sleep(log, 1h);
  Task<std::optional<int>> task = create_task(it.next());
  co_await sleep(0s);
  task.cancel();
  Result<std::optional<int>> result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(log, "d");
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorTest, MayRefuseACancellation) {
  auto body = []() -> AsyncGenerator<int> {
    Result<> end = co_await as_result(sleep(1h));
    co_yield end.cancelled() ? 1 : 2;
  };
  AsyncGenerator<int> it = body();
  Task<std::optional<int>> task = create_task(it.next());
  co_await sleep(0s);
  task.cancel();
  EXPECT_EQ(co_await task, 1);
}

// --- aclose()

ASYNCIO_TEST(AsyncGeneratorCloseTest, ThrowsAtTheYieldAndRunsTheCleanup) {
  std::string log;
  AsyncGenerator<int> it = logged(log);
  co_await it.next();
  co_await it.aclose();
  EXPECT_EQ(log, "cd");
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, AGeneratorThatDoesNotCatchEndsQuietly) {
  AsyncGenerator<int> it = count(5);
  co_await it.next();
  co_await it.aclose();
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, NeverBegunItRunsNothing) {
  std::string log;
  AsyncGenerator<int> it = logged(log);
  co_await it.aclose();
  EXPECT_EQ(co_await it.next(), std::nullopt);
  EXPECT_EQ(log, "");
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, AtItsEndItDoesNothing) {
  AsyncGenerator<int> it = count(0);
  co_await it.next();
  co_await it.aclose();
  co_await it.aclose();
  AsyncGenerator<int> none;
  co_await none.aclose();
  EXPECT_EQ(co_await none.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, IsNoStdException) {
  std::string log;
  auto body = [&]() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const std::exception&) {
      log += 'x';
    }
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  co_await it.aclose();
  EXPECT_EQ(log, "");
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, AnotherExceptionComesOut) {
  auto body = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw ValueError("cleanup");
    }
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  Result<> result = co_await as_result(it.aclose());
  EXPECT_EQ(exception_message(result.exception()), "cleanup");
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, YieldingAgainIsAnErrorAndGoesOn) {
  auto body = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
    co_yield 3;
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  Result<> result = co_await as_result(it.aclose());
  EXPECT_EQ(exception_message(result.exception()),
            "async generator ignored GeneratorExit");
  EXPECT_EQ(co_await it.next(), 3);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, WhatItYieldedToACloseIsNotTheNextValue) {
  auto body = []() -> AsyncGenerator<int> {
    bool closed = false;
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      closed = true;
    }
    if (closed) co_yield 2;
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  static_cast<void>(co_await as_result(it.aclose()));
  EXPECT_EQ(co_await it.next(), std::nullopt);
}

ASYNCIO_TEST(AsyncGeneratorCloseTest, WithClosesOnEveryWayOut) {
  std::string log;
  int value =
      co_await with(logged(log), [](AsyncGenerator<int>& it) -> Coroutine<int> {
        co_return (co_await it.next()).value();
      });
  EXPECT_EQ(value, 1);
  EXPECT_EQ(log, "cd");
  log.clear();
  auto fail = [](AsyncGenerator<int>& it) -> Coroutine<> {
    co_await it.next();
    throw ValueError("body");
  };
  Result<> result = co_await as_result(with(logged(log), fail));
  EXPECT_EQ(exception_message(result.exception()), "body");
  EXPECT_EQ(log, "cd");
}

// --- shutdown_asyncgens()

TEST(ShutdownAsyncgensInRunTest, RunClosesWhatIsSuspendedAndOwned) {
  std::string log;
  AsyncGenerator<int> kept, unbegun;
  run([&]() -> Coroutine<> {
    kept = logged(log);
    unbegun = logged(log);
    co_await kept.next();
    log += 'm';
  });
  EXPECT_EQ(log, "mcd");
}

ASYNCIO_TEST(ShutdownAsyncgensTest, ClosesThemAtTheSameTime) {
  std::string log;
  AsyncGenerator<int> a = logged(log, 'a'), b = logged(log, 'b');
  co_await a.next();
  co_await b.next();
  co_await shutdown_asyncgens();
  EXPECT_EQ(log, "cacb");
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST(ShutdownAsyncgensTest, ErrorsGoToTheExceptionHandler) {
  auto body = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw ValueError("cleanup");
    }
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  co_await shutdown_asyncgens();
  const std::vector<ExceptionContext> reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_TRUE(reports[0].message.starts_with(
      "an error occurred during closing of asynchronous generator"));
  EXPECT_EQ(exception_message(reports[0].exception), "cleanup");
}

ASYNCIO_TEST(ShutdownAsyncgensTest, ErrorsAreReportedInOrderOnceAllHaveEnded) {
  std::string log;
  auto body = [&](Duration cleanup, std::string name) -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_await sleep(cleanup);
    log += name + " ";
    throw ValueError(name);
  };
  get_running_loop().set_exception_handler(
      [&](EventLoop&, const ExceptionContext& report) {
        log += "report:" + exception_message(report.exception) + " ";
      });
  AsyncGenerator<int> slow = body(2s, "slow"), quick = body(1s, "quick");
  co_await slow.next();
  co_await quick.next();
  co_await shutdown_asyncgens();
  EXPECT_EQ(log, "quick slow report:slow report:quick ");
}

ASYNCIO_TEST(ShutdownAsyncgensTest, ACancelledErrorOfACleanupIsNoCancellation) {
  auto body = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw CancelledError();
    }
  };
  AsyncGenerator<int> it = body();
  co_await it.next();
  co_await shutdown_asyncgens();
}

ASYNCIO_TEST(ShutdownAsyncgensTest, CancelledItCancelsEveryCleanup) {
  std::string log;
  AsyncGenerator<int> a = logged(log, 'a'), b = logged(log, 'b');
  co_await a.next();
  co_await b.next();
  Task<> task = create_task(shutdown_asyncgens());
  co_await sleep(500ms);
  task.cancel("why");
  Result<> result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(exception_message(result.exception()), "why");
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(elapsed(), 500ms);
}

ASYNCIO_TEST(ShutdownAsyncgensTest, OneMayDestroyAnother) {
  std::string log;
  std::optional<AsyncGenerator<int>> victim = logged(log, 'v');
  auto body = [&]() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      victim.reset();
    }
  };
  AsyncGenerator<int> killer = body();
  co_await killer.next();
  co_await victim->next();
  co_await shutdown_asyncgens();
  EXPECT_EQ(log, "v");
}

ASYNCIO_TEST(ShutdownAsyncgensTest, OneBegunAfterwardsIsWarnedOf) {
  co_await shutdown_asyncgens();
  ::testing::internal::CaptureStderr();
  co_await collect(count(1));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "was scheduled after shutdown_asyncgens()"),
            std::string::npos);
}

// --- Destruction

ASYNCIO_TEST(AsyncGeneratorEndTest, DestroyedAtAYieldItsLocalsDie) {
  std::string log;
  {
    AsyncGenerator<int> it = logged(log);
    co_await it.next();
  }
  EXPECT_EQ(log, "d");
}

ASYNCIO_TEST(AsyncGeneratorEndTest, DebugModeReportsIt) {
  std::string log;
  get_running_loop().set_debug(true);
  ::testing::internal::CaptureStderr();
  {
    AsyncGenerator<int> unbegun = logged(log);
    AsyncGenerator<int> it = logged(log);
    co_await it.next();
  }
  get_running_loop().set_debug(false);
  const std::string text = ::testing::internal::GetCapturedStderr();
  const size_t found = text.find("logged' was destroyed before it was closed");
  EXPECT_NE(found, std::string::npos) << text;
  EXPECT_EQ(text.find("destroyed", found + 20), std::string::npos) << text;
}

// Awaits a child that awaits for ever.
AsyncGenerator<int> wait_in_child(std::string& log) {
  Note note(log, 'g');
  auto child = [&]() -> Coroutine<> {
    Note inner(log, 'h');
    co_await create_future<>();
  };
  co_await child();
  co_yield 1;
}

void run_and_destroy(const std::function<Coroutine<>()>& main) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  Task<> task = create_task(*loop, main());
  run_until_complete(*loop, sleep(0s));
  run_until_complete(*loop, sleep(0s));
}

TEST(AsyncGeneratorLoopEndTest, ItGoesWithItsConsumersTask) {
  std::string log;
  run_and_destroy([&]() -> Coroutine<> {
    Note note(log, 'm');
    AsyncGenerator<int> it = wait_in_child(log);
    co_await it.next();
  });
  EXPECT_EQ(log, "hgm");
}

TEST(AsyncGeneratorLoopEndTest, OwnedElsewhereItsFrameGoesAllTheSame) {
  std::string log;
  AsyncGenerator<int> it = wait_in_child(log);
  run_and_destroy([&]() -> Coroutine<> {
    Note note(log, 'm');
    co_await it.next();
  });
  EXPECT_EQ(log, "hgm");
  EXPECT_EQ(run([&] { return collect(std::move(it)); }).size(), 0u);
}

TEST(AsyncGeneratorLoopEndTest, MovedWhileItIsUnderWay) {
  std::string log;
  AsyncGenerator<int> first = wait_in_child(log), second;
  run_and_destroy([&]() -> Coroutine<> {
    Task<std::optional<int>> asking = create_task(first.next());
    co_await sleep(0s);
    second = std::move(first);
    co_await asking;
  });
  EXPECT_EQ(log, "hg");
}

TEST(AsyncGeneratorLoopEndTest, OneOfAnEndedLoopGoesOnInTheNext) {
  AsyncGenerator<int> it;
  run_and_destroy([&]() -> Coroutine<> {
    it = count(3);
    co_await it.next();
  });
  EXPECT_EQ(run([&] { return collect(std::move(it)); }),
            (std::vector<int>{1, 2}));
}

ASYNCIO_TEST(AsyncGeneratorEndTest,
             DestroyedUnderWayItsConsumerCanBeCancelled) {
  std::string log;
  std::optional<AsyncGenerator<int>> it = wait_in_child(log);
  Task<std::optional<int>> task = create_task(it->next());
  co_await sleep(0s);
  it.reset();
  EXPECT_EQ(log, "hg");
  co_await sleep(1s);
  EXPECT_FALSE(task.done());
  task.cancel();
  Result<std::optional<int>> result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
}

ASYNCIO_TEST(AsyncGeneratorEndTest, DestroyedOnceItsConsumerIsWoken) {
  Future<> gate = create_future<>();
  auto body = [&]() -> AsyncGenerator<int> {
    co_await gate;
    co_yield 1;
  };
  std::optional<AsyncGenerator<int>> it = body();
  Task<std::optional<int>> task = create_task(it->next());
  co_await sleep(0s);
  gate.set_result();
  it.reset();
  Result<std::optional<int>> result = co_await as_result(task);
  EXPECT_NE(result.get_if<RuntimeError>(), nullptr);
}

// What is in the ready queue stays where it is until its turn: here the timer, due in
// the same turn of the loop in which another task destroys the generator.
ASYNCIO_TEST(AsyncGeneratorEndTest, DestroyedWhileItsTimerIsInTheReadyQueue) {
  std::string log;
  std::optional<AsyncGenerator<int>> it = noted_sleep(log, 1s);
  get_running_loop().call_later(1s, [&] { it.reset(); });
  Task<std::optional<int>> task = create_task(it->next());
  Result<std::optional<int>> result = co_await as_result(task);
  EXPECT_NE(result.get_if<RuntimeError>(), nullptr);
  EXPECT_EQ(log, "d");
}

// The same with a wait() of which one future has ended, and of two generators, one
// in the other, in either order.
ASYNCIO_TEST(AsyncGeneratorEndTest, BothDestroyedWhileTheirWaitIsInTheQueue) {
  for (const bool inner_first : {true, false}) {
    std::string log;
    std::vector<Future<>> futures = {create_future<>(), create_future<>()};
    std::optional<AsyncGenerator<int>> inner, outer;
    auto waits = [&]() -> AsyncGenerator<int> {
      Note local(log, 'i');
      co_await asyncio::wait(futures, {.return_when = FIRST_COMPLETED});
      co_yield 1;
    };
    auto asks = [&]() -> AsyncGenerator<int> {
      Note local(log, 'o');
      co_await inner->next();
      co_yield 2;
    };
    inner = waits();
    outer = asks();
    Task<std::optional<int>> task = create_task(outer->next());
    co_await sleep(0s);
    get_running_loop().call_soon([&] {
      (inner_first ? inner : outer).reset();
      (inner_first ? outer : inner).reset();
    });
    for (Future<>& future : futures) future.set_result();
    Result<std::optional<int>> result = co_await as_result(task);
    EXPECT_NE(result.get_if<RuntimeError>(), nullptr);
    EXPECT_EQ(log, "io");
  }
}

TEST(AsyncGeneratorLoopEndTest, DestroyedWhileItsTimerIsInTheReadyQueue) {
  std::string log;
  VirtualClock clock;
  std::optional<AsyncGenerator<int>> it;
  {
    auto loop = new_event_loop({.clock = &clock});
    loop->call_later(1s, [&] {
      it.reset();
      loop->stop();
    });
    loop->call_soon([&] {
      it = noted_sleep(log, 1s);
      create_task(it->next());
    });
    loop->run_forever();
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log, "d");
}

ASYNCIO_TEST(AsyncGeneratorEndTest, DestroyedOnceItsConsumerIsCancelled) {
  std::string log;
  std::optional<AsyncGenerator<int>> it = wait_in_child(log);
  Task<std::optional<int>> task = create_task(it->next());
  co_await sleep(0s);
  task.cancel();
  it.reset();
  Result<std::optional<int>> result = co_await as_result(task);
  EXPECT_TRUE(result.cancelled());
  EXPECT_EQ(log, "hg");
}

TEST(AsyncGeneratorLoopEndTest, MainsLocalsMayDieBeforeTheConsumer) {
  std::string log;
  run([&]() -> Coroutine<> {
    AsyncGenerator<int> it = wait_in_child(log);
    create_task(it.next());
    co_await sleep(0s);
  });
  EXPECT_EQ(log, "hg");
}

ASYNCIO_TEST(AsyncGeneratorEndTest, DestroyedDuringItsClose) {
  std::string log;
  std::optional<AsyncGenerator<int>> it = logged(log);
  co_await it->next();
  Task<> closing = create_task(it->aclose());
  co_await sleep(500ms);
  it.reset();
  EXPECT_EQ(log, "d");
  closing.cancel();
  Result<> result = co_await as_result(closing);
  EXPECT_TRUE(result.cancelled());
}

// --- Depth

AsyncGenerator<int> nest(int depth, bool slow) {
  if (depth == 0) {
    if (slow) co_await sleep(0s);
    co_yield 1;
    if (slow) co_await sleep(0s);
    co_yield 2;
    co_return;
  }
  for (auto it = nest(depth - 1, slow); auto item = co_await it.next();) {
    co_yield *item;
  }
}

ASYNCIO_TEST(AsyncGeneratorDepthTest, RecursionTakesNoStack) {
  const std::vector<int> expected = {1, 2};
  const std::vector<int> at_once = co_await collect(nest(20'000, false));
  EXPECT_EQ(at_once, expected);
  const std::vector<int> slowly = co_await collect(nest(20'000, true));
  EXPECT_EQ(slowly, expected);
}

ASYNCIO_TEST(AsyncGeneratorDepthTest, ManyValuesTakeNoStack) {
  int64_t sum = 0;
  for (auto it = count(300'000); auto item = co_await it.next();) sum += *item;
  EXPECT_EQ(sum, int64_t{300'000} * 299'999 / 2);
}

ASYNCIO_TEST(AsyncGeneratorDepthTest, AnExceptionComesUpThroughAll) {
  std::function<AsyncGenerator<int>(int)> nested =
      [&](int depth) -> AsyncGenerator<int> {
    if (depth == 0) throw ValueError("deep");
    auto it = nested(depth - 1);
    while (auto item = co_await it.next()) co_yield *item;
  };
  Result<std::vector<int>> result = co_await as_result(collect(nested(500)));
  EXPECT_NE(result.get_if<ValueError>(), nullptr);
}

ASYNCIO_TEST(AsyncGeneratorDepthTest, AChainIsDestroyedWithItsConsumer) {
  std::string log;
  std::function<AsyncGenerator<int>(int)> nested =
      [&](int depth) -> AsyncGenerator<int> {
    Note note(log, static_cast<char>('0' + depth));
    if (depth == 0) co_await create_future<>();
    auto it = nested(depth - 1);
    while (auto item = co_await it.next()) co_yield *item;
  };
  std::optional<AsyncGenerator<int>> it = nested(9);
  Task<std::optional<int>> task = create_task(it->next());
  co_await sleep(0s);
  it.reset();
  EXPECT_EQ(log, "0123456789");
  task.cancel();
}

}  // namespace
}  // namespace asyncio
