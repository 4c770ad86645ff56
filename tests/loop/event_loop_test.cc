#include "asyncio/loop/event_loop.h"

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <signal.h>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/testing/virtual_clock.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using EventLoopTest = LoopFixture;

TEST_F(EventLoopTest, CallbacksRunInTheOrderTheyWereScheduled) {
  for (char c = 'a'; c <= 'e'; ++c) loop.call_soon(note(std::string(1, c)));
  run_iterations();
  EXPECT_EQ(log, "abcde");
}

TEST_F(EventLoopTest, WhatABatchSchedulesRunsInTheNextIteration) {
  loop.call_soon([this] {
    log += 'a';
    loop.call_soon(note("n"));
    loop.call_later(0s, note("t"));
    loop.call_soon_threadsafe(note("p"));
  });
  loop.call_soon(note("b"));
  run_iterations();
  EXPECT_EQ(log, "ab");
  run_iterations();
  EXPECT_EQ(log, "abnpt");
}

TEST_F(EventLoopTest, TimersThatAreDueGoBehindWhatIsReady) {
  loop.call_later(0s, note("t"));
  loop.call_soon(note("s"));
  run_iterations();
  EXPECT_EQ(log, "st");
}

TEST_F(EventLoopTest, PostsBeforeTheLoopRunsKeepTheirPlace) {
  loop.call_soon(note("a"));
  loop.call_soon_threadsafe(note("b"));
  loop.call_soon(note("c"));
  run_iterations();
  EXPECT_EQ(log, "abc");
}

TEST_F(EventLoopTest, ArgumentsAreDecayCopied) {
  std::string text = "before";
  loop.call_soon([this](const std::string& s) { log += s; }, text);
  loop.call_soon([this](std::string& s) { log += s; }, std::ref(text));
  text = "after";
  run_iterations();
  EXPECT_EQ(log, "beforeafter");
}

TEST_F(EventLoopTest, ArgumentsThatAreTakenOverAreMovedOut) {
  auto take = [this](std::unique_ptr<int> n) { log += std::to_string(*n); };
  loop.call_soon(take, std::make_unique<int>(1));
  loop.call_soon_threadsafe(take, std::make_unique<int>(2));
  loop.call_later(0s, take, std::make_unique<int>(3));
  TimerHandle held =
      loop.call_at(loop.time(), take, std::make_unique<int>(4));
  run_iterations();
  EXPECT_EQ(log, "1234");
}

TEST_F(EventLoopTest, MoveOnlyCallablesAndArgumentsAreMovedIn) {
  auto owned = std::make_unique<int>(3);
  loop.call_soon(
      [this, n = std::move(owned)](std::unique_ptr<int>& m) {
        log += std::to_string(*n + *m);
      },
      std::make_unique<int>(4));
  run_iterations();
  EXPECT_EQ(log, "7");
}

TEST_F(EventLoopTest, MemberFunctionsAreCallable) {
  struct Counter {
    void add(int n) { sum += n; }
    int sum = 0;
  } counter;
  loop.call_soon(&Counter::add, &counter, 5);
  run_iterations();
  EXPECT_EQ(counter.sum, 5);
}

TEST_F(EventLoopTest, CallableIsDestroyedAfterItRanThoughItsHandleIsKept) {
  auto token = std::make_shared<int>();
  Handle handle = loop.call_soon([token] {});
  run_iterations();
  EXPECT_EQ(token.use_count(), 1);
}

// --- stop()

TEST_F(EventLoopTest, StopFinishesTheBatch) {
  loop.call_soon([this] {
    log += 'a';
    loop.stop();
    loop.call_soon(note("next"));
  });
  loop.call_soon(note("b"));
  loop.run_forever();
  EXPECT_EQ(log, "ab");
  EXPECT_FALSE(loop.is_running());
  run_iterations();
  EXPECT_EQ(log, "abnext");
}

TEST_F(EventLoopTest, StopBeforeRunRunsOneIteration) {
  loop.call_soon([this] { loop.call_soon(note("second")); });
  loop.stop();
  loop.run_forever();
  EXPECT_EQ(log, "");
}

TEST_F(EventLoopTest, StopBeforeRunDoesNotWaitForTimers) {
  loop.call_later(1h, note("t"));
  run_iterations();
  EXPECT_EQ(clock.elapsed(), 0s);
  EXPECT_EQ(log, "");
}

TEST_F(EventLoopTest, StopIsForgottenWhenTheRunEnds) {
  loop.call_soon([this] { loop.stop(); });
  loop.run_forever();
  loop.call_later(1s, [this] { loop.stop(); });
  loop.run_forever();
  EXPECT_EQ(clock.elapsed(), 1s);
}

TEST_F(EventLoopTest, InterruptLeavesTheRestOfTheBatchForTheNextRun) {
  loop.call_soon(note("a"));
  loop.call_soon([this] {
    loop.call_soon(note("d"));
    throw KeyboardInterrupt("^C");
  });
  loop.call_soon(note("b"));
  loop.call_soon(note("c"));
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(log, "a");
  EXPECT_FALSE(loop.is_running());
  loop.call_soon(note("e"));
  run_iterations();
  EXPECT_EQ(log, "abcde");
}

TEST_F(EventLoopTest, SystemExitLeavesTheLoopWithItsCode) {
  loop.call_soon([] { throw SystemExit(3); });
  try {
    loop.run_forever();
    FAIL();
  } catch (const SystemExit& e) {
    EXPECT_EQ(e.code(), 3);
  }
}

TEST_F(EventLoopTest, InterruptDestroysTheCallableThatThrewIt) {
  auto token = std::make_shared<int>();
  Handle handle = loop.call_soon([token] { throw KeyboardInterrupt(); });
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EventLoopTest, CloseAfterAnInterruptDropsTheRestOfTheBatch) {
  auto token = std::make_shared<int>();
  loop.call_soon([] { throw KeyboardInterrupt(); });
  loop.call_soon([token] {});
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  loop.close();
  EXPECT_EQ(token.use_count(), 1);
}

// --- running and closed

TEST_F(EventLoopTest, KnowsTheRunningLoop) {
  EXPECT_EQ(thrown<RuntimeError>([] { get_running_loop(); }),
            "no running event loop");
  loop.call_soon([this] {
    EXPECT_EQ(&get_running_loop(), &loop);
    EXPECT_TRUE(loop.is_running());
  });
  run_iterations();
  EXPECT_EQ(thrown<RuntimeError>([] { get_running_loop(); }),
            "no running event loop");
}

TEST_F(EventLoopTest, DoesNotRunInsideItself) {
  loop.call_soon(
      [this] { log = thrown<RuntimeError>([this] { loop.run_forever(); }); });
  run_iterations();
  EXPECT_EQ(log, "This event loop is already running");
}

TEST_F(EventLoopTest, DoesNotRunInsideAnotherLoop) {
  auto other = new_event_loop();
  loop.call_soon(
      [&] { log = thrown<RuntimeError>([&] { other->run_forever(); }); });
  run_iterations();
  EXPECT_EQ(log, "Cannot run the event loop while another loop is running");
  EXPECT_FALSE(other->is_running());
}

TEST_F(EventLoopTest, DoesNotRunInTwoThreads) {
  loop.call_soon([this] {
    std::thread([this] {
      log = thrown<RuntimeError>([this] { loop.run_forever(); });
    }).join();
  });
  run_iterations();
  EXPECT_EQ(log, "This event loop is already running");
}

TEST_F(EventLoopTest, MayRunInOneThreadAfterTheOther) {
  loop.call_soon(note("a"));
  std::thread([this] { run_iterations(); }).join();
  loop.call_soon(note("b"));
  run_iterations();
  EXPECT_EQ(log, "ab");
}

TEST_F(EventLoopTest, CannotBeClosedWhileItRuns) {
  loop.call_soon(
      [this] { log = thrown<RuntimeError>([this] { loop.close(); }); });
  run_iterations();
  EXPECT_EQ(log, "Cannot close a running event loop");
  EXPECT_FALSE(loop.is_closed());
}

TEST_F(EventLoopTest, ClosedLoopRefusesEverything) {
  EXPECT_FALSE(loop.is_closed());
  loop.close();
  loop.close();
  EXPECT_TRUE(loop.is_closed());
  const std::string text = "Event loop is closed";
  auto nothing = [] {};
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.call_soon(nothing); }), text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.call_later(1s, nothing); }), text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.call_at(loop.time(), nothing); }),
            text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.call_soon_threadsafe(nothing); }),
            text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.add_reader(0, nothing); }), text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.add_writer(0, nothing); }), text);
  EXPECT_EQ(
      thrown<RuntimeError>([&] { loop.add_signal_handler(SIGUSR1, nothing); }),
      text);
  EXPECT_EQ(thrown<RuntimeError>([&] { loop.run_forever(); }), text);
  EXPECT_FALSE(loop.remove_reader(0));
  EXPECT_FALSE(loop.remove_writer(0));
  EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
  EXPECT_EQ(loop.time(), VirtualClock::kStart);
}

TEST_F(EventLoopTest, CloseDestroysWhatIsScheduledUncalled) {
  auto token = std::make_shared<int>();
  auto call = [](std::shared_ptr<int>&) { ADD_FAILURE() << "called"; };
  Handle soon = loop.call_soon(call, token);
  Handle posted = loop.call_soon_threadsafe(call, token);
  Handle later = loop.call_later(1h, call, token);
  loop.add_signal_handler(SIGUSR1, call, token);
  EXPECT_EQ(token.use_count(), 5);
  loop.close();
  EXPECT_EQ(token.use_count(), 1);
  later.cancel();
  soon.cancel();
}

TEST_F(EventLoopTest, CallablesDestroyedByCloseMayUseTheirHandles) {
  auto handle = std::make_shared<Handle>();
  struct Cancels {
    std::shared_ptr<Handle> handle;
    ~Cancels() {
      if (handle && *handle) handle->cancel();
    }
  };
  auto owner = std::make_shared<Cancels>(Cancels{handle});
  *handle = loop.call_later(1s, [owner = std::move(owner)] {});
  loop.close();
  EXPECT_TRUE(handle->cancelled());
}

TEST_F(EventLoopTest, HandlesOutliveTheLoop) {
  Handle soon = loop.call_soon([] {});
  TimerHandle later = loop.call_later(1s, [] {});
  end_loop();
  soon.cancel();
  later.cancel();
  EXPECT_TRUE(later.cancelled());
  EXPECT_EQ(later.when(), VirtualClock::kStart + 1s);
}

TEST_F(EventLoopTest, RefusesAnotherThreadWhileItRunsAndNamesBoth) {
  Handle handle = loop.call_soon([] {});
  TimerHandle timer = loop.call_later(1h, [] {});
  std::string expected;
  auto check = [&](const std::function<void()>& fn) {
    EXPECT_EQ(thrown<RuntimeError>(fn), expected);
  };
  loop.call_soon([&, owner = std::this_thread::get_id()] {
    std::thread([&] {
      std::ostringstream text;
      text << "Non-thread-safe operation invoked on an event loop other than "
              "the current one: the loop runs in thread "
           << owner << ", the call came from thread "
           << std::this_thread::get_id();
      expected = text.str();
      check([&] { loop.call_soon([] {}); });
      check([&] { loop.call_later(1s, [] {}); });
      check([&] { loop.call_at(TimePoint(), [] {}); });
      check([&] { loop.stop(); });
      check([&] { loop.add_reader(0, [] {}); });
      check([&] { loop.remove_reader(0); });
      check([&] { loop.add_writer(0, [] {}); });
      check([&] { loop.remove_writer(0); });
      check([&] { loop.add_signal_handler(SIGUSR1, [] {}); });
      check([&] { loop.remove_signal_handler(SIGUSR1); });
      check([&] { loop.set_exception_handler(nullptr); });
      check([&] { timer.cancel(); });
    }).join();
  });
  run_iterations();
  EXPECT_FALSE(timer.cancelled());
}

TEST_F(EventLoopTest, WhereTheKernelRefusesNothingIsLeft) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizers need descriptors themselves";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizers need descriptors themselves";
#endif
#endif
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  int error = 0;
  try {
    new_event_loop();
  } catch (const OSError& e) {
    error = e.error();
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(error, EMFILE);
  EXPECT_NO_THROW(new_event_loop());
}

// --- context

const ContextVar<int> number("number", 0);

TEST_F(EventLoopTest, CallbackRunsInACopyOfTheContextItWasScheduledIn) {
  Context context = copy_context();
  context.run([&] {
    number.set(1);
    loop.call_soon([&] {
      log += std::to_string(number.get());
      number.set(9);
    });
    loop.call_later(0s, [&] { log += std::to_string(number.get()); });
    number.set(2);
    loop.call_soon_threadsafe([&] { log += std::to_string(number.get()); });
  });
  run_iterations();
  EXPECT_EQ(log, "121");
  EXPECT_EQ(context.get(number), 2);
  EXPECT_EQ(number.get(), 0);
}

TEST_F(EventLoopTest, CallbackRunsInTheContextItIsGiven) {
  Context context;
  loop.call_soon(
      {.context = &context}, [](int n) { number.set(n); }, 7);
  loop.call_later({.context = &context}, 1s,
                  [&] { log += std::to_string(number.get()); });
  run_for(1s);
  EXPECT_EQ(log, "7");
  EXPECT_EQ(context.get(number), 7);
}

// --- debug mode

TEST(EventLoopDebugTest, IsOnByOptionOrByEnvironment) {
  EXPECT_TRUE(new_event_loop({.debug = true})->get_debug());
  setenv("ASYNCIO_DEBUG", "1", 1);
  EXPECT_TRUE(new_event_loop()->get_debug());
  EXPECT_FALSE(new_event_loop({.debug = false})->get_debug());
  setenv("ASYNCIO_DEBUG", "", 1);
  EXPECT_FALSE(new_event_loop()->get_debug());
  unsetenv("ASYNCIO_DEBUG");
}

TEST_F(EventLoopTest, DebugModeNamesSlowCallbacks) {
  EXPECT_EQ(loop.slow_callback_duration(), 100ms);
  loop.set_debug(true);
  loop.call_soon([this] { clock.advance(123ms); });
  loop.call_soon([this] { clock.advance(99ms); });
  testing::internal::CaptureStderr();
  run_iterations();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("Executing <Handle "), 0u) << text;
  EXPECT_NE(text.find("DebugModeNamesSlowCallbacks"), std::string::npos)
      << text;
  EXPECT_NE(text.find("> took 0.123 seconds\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("0.099"), std::string::npos) << text;
}

}  // namespace
}  // namespace asyncio
