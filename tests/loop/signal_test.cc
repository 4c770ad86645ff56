// add_signal_handler(). Signals go to this process: each test takes its
// handlers back, as the loop's end does.
#include <atomic>
#include <cerrno>
#include <memory>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using SignalTest = LoopFixture;

bool has_default_action(int sig) {
  struct sigaction action;
  sigaction(sig, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

// Sends `count` queued signals, each of which the kernel delivers on its own.
void queue_signals(int sig, int count) {
  for (int i = 0; i < count; ++i) {
    while (sigqueue(getpid(), sig, sigval{}) != 0) {
      ASSERT_EQ(errno, EAGAIN);  // the queue is full
      std::this_thread::yield();
    }
  }
}

TEST_F(SignalTest, HandlerIsCalledInTheLoop) {
  loop.add_signal_handler(
      SIGUSR1,
      [this](int n) {
        log += std::to_string(n);
        loop.stop();
      },
      5);
  loop.call_soon([this] {
    raise(SIGUSR1);
    EXPECT_EQ(log, "");
  });
  loop.run_forever();
  EXPECT_EQ(log, "5");
}

TEST_F(SignalTest, SignalOfAnotherThreadEndsTheWait) {
  loop.add_signal_handler(SIGUSR1, [this] { loop.stop(); });
  std::thread sender([] { kill(getpid(), SIGUSR1); });
  loop.run_forever();
  sender.join();
}

TEST_F(SignalTest, SignalToABusyLoopIsInTheNextBatch) {
  loop.add_signal_handler(SIGUSR1, note("s"));
  run_busy(5, [](int batch) {
    if (batch == 2 || batch == 3) raise(SIGUSR1);
  });
  EXPECT_EQ(log, "123s4s5");
}

TEST_F(SignalTest, WhatAnotherOwnerHasNotCollectedComesToABusyLoop) {
  auto other = new_event_loop();
  other->add_signal_handler(SIGUSR1, note("other"));
  raise(SIGUSR1);
  run_busy(4, [this](int batch) {
    if (batch == 2) loop.add_signal_handler(SIGUSR1, note("s"));
  });
  EXPECT_EQ(log, "123s4");
}

TEST_F(SignalTest, WhatAnotherOwnerHasNotCollectedEndsTheWait) {
  auto other = new_event_loop();
  other->add_signal_handler(SIGUSR1, note("other"));
  raise(SIGUSR1);
  loop.add_signal_handler(SIGUSR1, [this] { loop.stop(); });
  loop.run_forever();

  other->add_signal_handler(SIGUSR1, note("other"));
  raise(SIGUSR1);
  loop.call_soon([this] {
    loop.add_signal_handler(SIGUSR1, [this] { loop.stop(); });
  });
  loop.run_forever();
  EXPECT_EQ(log, "");
}

TEST_F(SignalTest, SignalBeforeTheRunIsNotLost) {
  loop.add_signal_handler(SIGUSR1, [this] { loop.stop(); });
  raise(SIGUSR1);
  loop.run_forever();
}

TEST_F(SignalTest, EachDeliveryIsACallOfItsOwnInOneBatch) {
  loop.add_signal_handler(SIGUSR1, note("1"));
  loop.add_signal_handler(SIGUSR2, note("2"));
  raise(SIGUSR2);
  raise(SIGUSR1);
  raise(SIGUSR1);
  run_iterations();
  EXPECT_EQ(log, "112");
}

TEST_F(SignalTest, AddingAgainReplacesTheCallable) {
  auto token = std::make_shared<int>();
  loop.add_signal_handler(SIGUSR1, [token] {});
  loop.add_signal_handler(SIGUSR1, note("new"));
  EXPECT_EQ(token.use_count(), 1);
  raise(SIGUSR1);
  run_iterations();
  EXPECT_EQ(log, "new");
}

TEST_F(SignalTest, DeliveriesPassToTheCallableThatReplacesTheirs) {
  loop.add_signal_handler(SIGUSR1, [this] {
    log += "old";
    loop.add_signal_handler(SIGUSR1, note("new"));
  });
  for (int i = 0; i < 3; ++i) raise(SIGUSR1);
  run_iterations(2);
  EXPECT_EQ(log, "oldnewnew");
}

TEST_F(SignalTest, RemoveTellsWhetherThereWasOneAndRestoresTheDefault) {
  EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
  loop.add_signal_handler(SIGUSR1, note("x"));
  EXPECT_FALSE(has_default_action(SIGUSR1));
  EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
  EXPECT_TRUE(has_default_action(SIGUSR1));
  EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
}

TEST_F(SignalTest, HandlerThatRemovesItselfIsNotCalledAgain) {
  loop.add_signal_handler(SIGUSR1, [this] {
    log += "x";
    loop.remove_signal_handler(SIGUSR1);
  });
  raise(SIGUSR1);
  raise(SIGUSR1);
  run_iterations(2);
  EXPECT_EQ(log, "x");
}

TEST_F(SignalTest, CallableMayCallBackInWhileItIsReplaced) {
  struct Guard {
    EventLoop* loop;
    ~Guard() { loop->remove_signal_handler(SIGUSR1); }
  };
  auto guard = std::make_shared<Guard>(Guard{&loop});
  loop.add_signal_handler(SIGUSR1, [g = std::move(guard)] {});
  loop.add_signal_handler(SIGUSR1, note("x"));
  EXPECT_TRUE(has_default_action(SIGUSR1));
}

TEST_F(SignalTest, CloseAndDestructionRestoreTheDefault) {
  loop.add_signal_handler(SIGUSR1, note("x"));
  loop.close();
  EXPECT_TRUE(has_default_action(SIGUSR1));
  auto other = new_event_loop();
  other->add_signal_handler(SIGUSR1, note("x"));
  other = nullptr;
  EXPECT_TRUE(has_default_action(SIGUSR1));
}

TEST_F(SignalTest, LoopThatAddedItLastOwnsTheSignal) {
  auto other = new_event_loop();
  loop.add_signal_handler(SIGUSR1, note("first"));
  raise(SIGUSR1);
  other->add_signal_handler(SIGUSR1, note("last"));
  raise(SIGUSR1);
  run_iterations();
  EXPECT_EQ(log, "");
  other->stop();
  other->run_forever();
  EXPECT_EQ(log, "lastlast");
  EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
  EXPECT_FALSE(has_default_action(SIGUSR1));
}

TEST_F(SignalTest, NumberThatIsNoSignalIsAValueError) {
  for (int sig : {99, 0, -1, 32, 65}) {
    const std::string text = "invalid signal number " + std::to_string(sig);
    EXPECT_EQ(thrown<ValueError>([&] { loop.add_signal_handler(sig, [] {}); }),
              text);
    EXPECT_EQ(thrown<ValueError>([&] { loop.remove_signal_handler(sig); }),
              text);
  }
}

TEST_F(SignalTest, SignalThatCannotBeCaughtIsARuntimeError) {
  for (int sig : {SIGKILL, SIGSTOP}) {
    EXPECT_EQ(
        thrown<RuntimeError>([&] { loop.add_signal_handler(sig, [] {}); }),
        "sig " + std::to_string(sig) + " cannot be caught");
    EXPECT_FALSE(loop.remove_signal_handler(sig));
  }
}

TEST_F(SignalTest, ExceptionOfAHandlerIsReported) {
  loop.add_signal_handler(SIGUSR1, [] { throw ValueError("bad"); });
  raise(SIGUSR1);
  run_iterations();
  EXPECT_EQ(reports.size(), 1u);
  reports.clear();
}

TEST_F(SignalTest, InterruptLeavesTheOtherDeliveriesForTheNextRun) {
  loop.add_signal_handler(SIGINT, [this] {
    log += "x";
    throw KeyboardInterrupt();
  });
  for (int i = 0; i < 5; ++i) raise(SIGINT);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  }
  run_iterations();
  EXPECT_EQ(log, "xxxxx");
}

TEST_F(SignalTest, HandlerRunsInTheContextItWasAddedIn) {
  const ContextVar<int> number("number", 0);
  Context().run([&] {
    number.set(6);
    loop.add_signal_handler(SIGUSR1,
                            [&] { log += std::to_string(number.get()); });
  });
  raise(SIGUSR1);
  run_iterations();
  EXPECT_EQ(log, "6");
}

// --- storms

// ThreadSanitizer puts signals off to a safe moment, and keeps one of a kind.
#if defined(__SANITIZE_THREAD__)
constexpr bool kSignalsMerge = true;
#elif defined(__has_feature)
constexpr bool kSignalsMerge = __has_feature(thread_sanitizer);
#else
constexpr bool kSignalsMerge = false;
#endif

TEST(SignalStormTest, QueuedSignalsAreAllCalledFor) {
  if (kSignalsMerge) GTEST_SKIP();
  constexpr int kSignals = 100'000;
  auto loop = new_event_loop();
  int calls = 0;
  loop->add_signal_handler(SIGRTMIN, [&] {
    if (++calls == kSignals) loop->stop();
  });
  std::thread sender(queue_signals, SIGRTMIN, kSignals);
  loop->run_forever();
  sender.join();
  loop->stop();
  loop->run_forever();
  EXPECT_EQ(calls, kSignals);
}

TEST(SignalStormTest, SignalsOfAnotherProcessAreAllCalledFor) {
  if (kSignalsMerge) GTEST_SKIP();
  constexpr int kSignals = 20'000;
  auto loop = new_event_loop();
  int calls = 0;
  loop->add_signal_handler(SIGRTMIN, [&] {
    if (++calls == kSignals) loop->stop();
  });
  const pid_t parent = getpid();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (int i = 0; i < kSignals; ++i) {
      while (sigqueue(parent, SIGRTMIN, sigval{}) != 0) usleep(10);
    }
    _exit(0);
  }
  loop->run_forever();
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(calls, kSignals);
}

// Plain signals merge in the kernel; but after the last there is always a call.
TEST(SignalStormTest, EachRoundOfMergedSignalsIsAnswered) {
  constexpr int kRounds = 20'000;
  auto loop = new_event_loop();
  std::atomic<int> sent = 0;
  std::atomic<int> answered = 0;
  loop->add_signal_handler(SIGUSR1, [&] { answered = sent.load(); });
  std::thread sender([&, target = pthread_self()] {
    for (int i = 1; i <= kRounds; ++i) {
      sent = i;
      pthread_kill(target, SIGUSR1);
      // Loses one wake-up, waits for ever.
      while (answered < i) std::this_thread::yield();
    }
    loop->call_soon_threadsafe([&] { loop->stop(); });
  });
  loop->run_forever();
  sender.join();
  EXPECT_EQ(answered, kRounds);
}

TEST(SignalStormTest, StormWhileLoopsComeAndGoHitsNothingThatIsGone) {
  std::atomic<bool> done = false;
  // Between two loops the default action must not end the program: the sender
  // waits while nobody handles the signal.
  std::atomic<bool> handled = false;
  std::atomic<bool> sending = false;
  std::thread sender([&] {
    while (!done) {
      sending = true;
      if (handled) kill(getpid(), SIGUSR2);
      sending = false;
      std::this_thread::yield();
    }
  });
  int calls = 0;
  for (int i = 0; i < 300; ++i) {
    auto loop = new_event_loop();
    loop->add_signal_handler(SIGUSR2, [&] {
      ++calls;
      loop->stop();
    });
    handled = true;
    loop->run_forever();
    handled = false;
    while (sending) std::this_thread::yield();
    // What was sent is delivered before this returns.
    sigset_t pending;
    do {
      sigpending(&pending);
    } while (sigismember(&pending, SIGUSR2));
  }
  done = true;
  sender.join();
  EXPECT_GE(calls, 300);
}

}  // namespace
}  // namespace asyncio
