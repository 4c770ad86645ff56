#include "asyncio/streams/signal_stream.h"

#include <chrono>
#include <memory>
#include <signal.h>
#include <string>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

static_assert(std::is_nothrow_move_constructible_v<SignalStream>);
static_assert(!std::is_copy_constructible_v<SignalStream>);

bool has_default_action(int sig) {
  struct sigaction action;
  sigaction(sig, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

ASYNCIO_TEST(SignalStreamTest, GivesWhatComes) {
  SignalStream signals({SIGUSR1, SIGUSR2});
  Task<int> task = create_task(signals.next());
  co_await sleep(1s);
  EXPECT_FALSE(task.done());
  raise(SIGUSR2);
  EXPECT_EQ(co_await task, SIGUSR2);
  raise(SIGUSR1);
  EXPECT_EQ(co_await signals.next(), SIGUSR1);
}

ASYNCIO_TEST(SignalStreamTest, KeepsWhatComesWhileNobodyWaits) {
  SignalStream signals({SIGUSR1, SIGRTMIN});
  const int rt = SIGRTMIN;
  for (int i = 0; i < 3; ++i) {
    kill(getpid(), rt);
    raise(SIGUSR1);
  }
  std::vector<int> got;
  for (int i = 0; i < 6; ++i) got.push_back(co_await signals.next());
  EXPECT_THAT(got, ElementsAre(SIGUSR1, SIGUSR1, SIGUSR1, rt, rt, rt));
}

ASYNCIO_TEST(SignalStreamTest, OneSignalNeedsNoBraces) {
  SignalStream signals(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_EQ(co_await signals.next(), SIGUSR1);
}

ASYNCIO_TEST(SignalStreamTest, SeveralTasksInTheirOrder) {
  SignalStream signals(SIGUSR1);
  std::string log;
  auto take = [&](char name) -> Coroutine<> {
    co_await signals.next();
    log += name;
  };
  Task<> a = create_task(take('a'));
  Task<> b = create_task(take('b'));
  co_await sleep(0s);
  raise(SIGUSR1);
  raise(SIGUSR1);
  co_await a;
  co_await b;
  EXPECT_EQ(log, "ab");
}

ASYNCIO_TEST(SignalStreamTest, TheDefaultActionIsBackAfterIt) {
  {
    SignalStream signals({SIGUSR1, SIGUSR2});
    EXPECT_FALSE(has_default_action(SIGUSR1));
    SignalStream moved = std::move(signals);
    EXPECT_FALSE(has_default_action(SIGUSR2));
    moved = SignalStream(SIGUSR2);
    EXPECT_TRUE(has_default_action(SIGUSR1));
    EXPECT_FALSE(has_default_action(SIGUSR2));
  }
  EXPECT_TRUE(has_default_action(SIGUSR2));
  co_return;
}

ASYNCIO_TEST(SignalStreamTest, WhatWasTakenOverIsLeftAlone) {
  EventLoop& loop = get_running_loop();
  bool called = false;
  {
    SignalStream signals({SIGUSR1, SIGUSR2});
    loop.add_signal_handler(SIGUSR1, [&] { called = true; });
  }
  EXPECT_TRUE(has_default_action(SIGUSR2));
  EXPECT_FALSE(has_default_action(SIGUSR1));
  raise(SIGUSR1);
  co_await sleep(1ms);
  EXPECT_TRUE(called);
  EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
}

ASYNCIO_TEST(SignalStreamTest, ClosingTellsWhoWaits) {
  SignalStream signals(SIGUSR1);
  Task<int> task = create_task(signals.next());
  co_await sleep(0s);
  signals.close();
  signals.close();
  Result<int> end = co_await as_result(task);
  CO_ASSERT_NE(end.get_if<RuntimeError>(), nullptr);
  EXPECT_STREQ(end.get_if<RuntimeError>()->what(),
               "the signal stream is closed");
  EXPECT_THROW(static_cast<void>(signals.next()), RuntimeError);
}

ASYNCIO_TEST(SignalStreamTest, WhatCannotBeCaughtIsRefusedWhole) {
  EXPECT_THROW(SignalStream({SIGUSR1, SIGKILL}), RuntimeError);
  EXPECT_THROW(SignalStream({SIGUSR1, 1000}), ValueError);
  EXPECT_TRUE(has_default_action(SIGUSR1));
  co_return;
}

TEST(SignalStreamLoopTest, MayOutliveItsLoop) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::unique_ptr<SignalStream> signals;
  loop->call_soon([&] {
    signals = std::make_unique<SignalStream>(SIGUSR1);
    loop->stop();
  });
  loop->run_forever();
  loop = nullptr;
  EXPECT_TRUE(has_default_action(SIGUSR1));
  signals = nullptr;
}

TEST(CancelSignalStreamTest, NoSignalIsLost) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    auto signals = std::make_shared<SignalStream>(SIGRTMIN);
    auto got = std::make_shared<int>(0);
    scene.start([signals, got]() -> Coroutine<> {
      while (*got < 4) {
        co_await signals->next();
        ++*got;
      }
    });
    for (int i = 0; i < 2; ++i) {
      // Not sigqueue(): of two, ThreadSanitizer drops one.
      kill(getpid(), SIGRTMIN);
      kill(getpid(), SIGRTMIN);
      co_await sleep(1ms);
    }
    static_cast<void>(co_await scene.ended());
    while (*got < 4) {
      co_await signals->next();
      ++*got;
    }
  });
}

}  // namespace
}  // namespace asyncio
