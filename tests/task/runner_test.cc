#include "asyncio/task/runner.h"

#include <chrono>
#include <functional>
#include <memory>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<int> give(int n) {
  co_await sleep(0s);
  co_return n;
}
Coroutine<> fail(std::string text) {
  co_await sleep(0s);
  throw ValueError(text);
}

template <class F>
std::string text_of_error(F fn) {
  try {
    fn();
  } catch (...) {
    const std::exception_ptr e = std::current_exception();
    return exception_name(e) + ": " + exception_message(e);
  }
  return "nothing";
}

TEST(RunTest, GivesTheValueOrThrowsTheException) {
  EXPECT_EQ(run(give(3)), 3);
  EXPECT_EQ(text_of_error([] { run(fail("spam")); }), "ValueError: spam");
  auto make = []() -> Coroutine<std::unique_ptr<int>> {
    co_return std::make_unique<int>(4);
  };
  EXPECT_EQ(*run(make), 4);
  run(sleep(0s));
}

TEST(RunTest, GivesAReference) {
  int n = 0;
  auto lend = [&]() -> Coroutine<int&> { co_return n; };
  EXPECT_EQ(&run(lend), &n);
}

TEST(RunTest, InsideARunningLoopIsAnErrorAndLeavesMainIntact) {
  auto outer = []() -> Coroutine<int> {
    Coroutine<int> inner = give(5);
    EXPECT_EQ(text_of_error([&] { run(std::move(inner)); }),
              "RuntimeError: asyncio.run() cannot be called from a running "
              "event loop");
    co_return co_await inner;
  };
  EXPECT_EQ(run(outer), 5);
}

TEST(RunTest, CancelsWhatIsLeftAndWaitsForItsCleanup) {
  std::string log;
  auto leftover = [&]() -> Coroutine<> {
    const Result<> end = co_await as_result(sleep(1h));
    co_await sleep(1ms);
    log += end.cancelled() ? "cleaned;" : "woke;";
    end.rethrow();
  };
  Task<> task;
  auto main = [&]() -> Coroutine<int> {
    task = create_task(leftover);
    co_await sleep(0s);
    co_return 1;
  };
  EXPECT_EQ(run(main), 1);
  EXPECT_EQ(log, "cleaned;");
  EXPECT_TRUE(task.cancelled());
}

TEST(RunTest, ReportsWhatLeftoversThrowWhileTheyAreCancelled) {
  std::vector<std::string> reports;
  auto leftover = []() -> Coroutine<> {
    static_cast<void>(co_await as_result(sleep(1h)));
    throw ValueError("cleanup");
  };
  auto main = [&]() -> Coroutine<> {
    get_running_loop().set_exception_handler(
        [&](EventLoop&, const ExceptionContext& report) {
          reports.push_back(report.message + ": " +
                            exception_message(report.exception));
        });
    create_task(leftover);
    co_await sleep(0s);
  };
  run(main);
  const std::vector<std::string> expected = {
      "unhandled exception during asyncio.run() shutdown: cleanup"};
  EXPECT_EQ(reports, expected);
}

TEST(RunTest, AMainThatCancelsItselfThrowsCancelledError) {
  auto main = []() -> Coroutine<> {
    current_task().cancel("self");
    co_await sleep(0s);
  };
  EXPECT_EQ(text_of_error([&] { run(main); }), "CancelledError: self");
}

TEST(RunTest, OptionsSetDebugModeAndTheLoop) {
  static int made = 0;
  auto factory = []() -> std::unique_ptr<EventLoop> {
    ++made;
    return new_event_loop();
  };
  auto main = []() -> Coroutine<bool> {
    co_return get_running_loop().get_debug();
  };
  EXPECT_TRUE(run(main, {.debug = true, .loop_factory = factory}));
  EXPECT_FALSE(run(main, {.debug = false, .loop_factory = factory}));
  EXPECT_EQ(made, 2);
}

TEST(RunTest, RunsInAnyThread) {
  int value = 0;
  std::thread thread([&] { value = run(give(6)); });
  thread.join();
  EXPECT_EQ(value, 6);
}

// --- Interrupts that come from inside.

TEST(RunTest, AKeyboardInterruptInATaskEndsRunAndCleansUp) {
  std::string log;
  auto main = [&]() -> Coroutine<> {
    auto interrupt = []() -> Coroutine<> {
      co_await sleep(0s);
      throw KeyboardInterrupt("inside");
    };
    Task<> task = create_task(interrupt);
    const Result<> end = co_await as_result(sleep(1h));
    log += end.cancelled() ? "cancelled" : "woke";
    static_cast<void>(co_await as_result(task));
  };
  EXPECT_EQ(text_of_error([&] { run(main); }), "KeyboardInterrupt: inside");
  EXPECT_EQ(log, "cancelled");
}

TEST(RunTest, ASystemExitInMainLeavesItWithItsCode) {
  auto main = []() -> Coroutine<> {
    co_await sleep(0s);
    throw SystemExit(3);
  };
  int code = 0;
  try {
    run(main);
  } catch (const SystemExit& e) {
    code = e.code();
  }
  EXPECT_EQ(code, 3);
}

// The task's end has made the callback that stops the loop ready by then.
TEST(RunTest, ASystemExitInMainLeavesTheCleanUpItsTurns) {
  std::string log;
  auto left = [&]() -> Coroutine<> {
    const Result<> end = co_await as_result(sleep(1h));
    for (int i = 0; i < 3; ++i) co_await sleep(0s);
    log += end.cancelled() ? "cleaned" : "woke";
  };
  auto main = [&]() -> Coroutine<> {
    Task<> task = create_task(left);
    co_await sleep(0s);
    throw SystemExit(4);
  };
  EXPECT_EQ(text_of_error([&] { run(main); }), "SystemExit: 4");
  EXPECT_EQ(log, "cleaned");
}

TEST(RunUntilCompleteTest, WhatLeftTheLoopDoesNotStopTheNext) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  auto interrupted = []() -> Coroutine<> {
    throw KeyboardInterrupt("now");
    co_return;
  };
  EXPECT_EQ(text_of_error([&] { run_until_complete(*loop, interrupted()); }),
            "KeyboardInterrupt: now");
  auto later = []() -> Coroutine<int> {
    for (int i = 0; i < 3; ++i) co_await sleep(0s);
    co_return 7;
  };
  EXPECT_EQ(run_until_complete(*loop, later()), 7);
}

// --- Runner.

TEST(RunnerTest, RunsSeveralMainsOnOneLoopAndLeftoversGoOn) {
  Runner runner;
  int steps = 0;
  auto background = [&]() -> Coroutine<> {
    while (true) {
      ++steps;
      co_await sleep(0s);
    }
  };
  auto first = [&]() -> Coroutine<EventLoop*> {
    create_task(background);
    co_await sleep(0s);
    co_return &get_running_loop();
  };
  auto second = []() -> Coroutine<EventLoop*> {
    co_await sleep(0s);
    co_return &get_running_loop();
  };
  EventLoop* loop = runner.run(first);
  const int before = steps;
  EXPECT_EQ(runner.run(second), loop);
  EXPECT_GT(steps, before);
  EXPECT_EQ(&runner.get_loop(), loop);
  runner.close();
  EXPECT_TRUE(loop->is_closed());
}

TEST(RunnerTest, StaysUsableAfterAnException) {
  Runner runner;
  EXPECT_THROW(runner.run(fail("x")), ValueError);
  EXPECT_EQ(runner.run(give(2)), 2);
}

TEST(RunnerTest, ClosedItRefusesAndLeavesMainIntact) {
  Runner runner;
  runner.run(give(1));
  runner.close();
  runner.close();
  Coroutine<int> main = give(2);
  EXPECT_EQ(text_of_error([&] { runner.run(std::move(main)); }),
            "RuntimeError: Runner is closed");
  EXPECT_TRUE(main);
  EXPECT_EQ(text_of_error([&] { runner.get_loop(); }),
            "RuntimeError: Runner is closed");
}

TEST(RunnerTest, InsideARunningLoopIsAnError) {
  Runner runner;
  auto main = [&]() -> Coroutine<> {
    Coroutine<int> inner = give(1);
    EXPECT_EQ(text_of_error([&] { runner.run(std::move(inner)); }),
              "RuntimeError: Runner.run() cannot be called from a running "
              "event loop");
    EXPECT_EQ(text_of_error([&] { runner.close(); }),
              "RuntimeError: Cannot close a running event loop");
    co_await inner;
  };
  runner.run(main);
}

TEST(RunUntilCompleteTest, StoppedFirstItSaysSoAndCanGoOn) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  auto body = []() -> Coroutine<int> {
    get_running_loop().stop();
    co_await sleep(1ms);
    co_return 7;
  };
  Task<int> task = create_task(*loop, body);
  EXPECT_EQ(text_of_error([&] { run_until_complete(*loop, task); }),
            "RuntimeError: Event loop stopped before Future completed.");
  EXPECT_FALSE(loop->is_running());
  EXPECT_EQ(run_until_complete(*loop, task), 7);
}

TEST(RunUntilCompleteTest, RefusesAClosedLoopARunningOneAndAForeignFuture) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::unique_ptr<EventLoop> other = new_event_loop();
  Future<> f = create_future<>(*loop);
  EXPECT_EQ(text_of_error([&] { run_until_complete(*other, f); }),
            "ValueError: The future belongs to a different loop than the one "
            "specified as the loop argument");
  auto main = [&]() -> Coroutine<> {
    EXPECT_EQ(text_of_error([&] { run_until_complete(*loop, f); }),
              "RuntimeError: This event loop is already running");
    EXPECT_EQ(text_of_error([&] { run_until_complete(*other, f); }),
              "RuntimeError: Cannot run the event loop while another loop is "
              "running");
    co_return;
  };
  run_until_complete(*loop, main);
  loop->close();
  EXPECT_EQ(text_of_error([&] { run_until_complete(*loop, f); }),
            "RuntimeError: Event loop is closed");
}

// As gather()'s children: nobody else knows of it.
TEST(RunUntilCompleteTest, ItsOwnTaskIsNotReportedWhenItWasLeftEarly) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::vector<std::string> reports;
  loop->set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
    reports.push_back(context.message);
  });
  loop->call_soon([&] { loop->stop(); });
  EXPECT_THROW(run_until_complete(*loop, sleep(1h)), RuntimeError);
  loop.reset();
  EXPECT_TRUE(reports.empty()) << reports[0];
}

TEST(RunTest, AFactoryThatGivesNoLoopIsRefused) {
  const RunOptions options = {.loop_factory =
                                  [] { return std::unique_ptr<EventLoop>(); }};
  EXPECT_EQ(text_of_error([&] { run(sleep(0s), options); }),
            "RuntimeError: The loop factory gave no loop");
}

// --- Ctrl-C: in a child, as it is the process's first thread that gets it.

int exit_code_of(int (*main)()) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    _exit(main());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool has_default_action() {
  struct sigaction action = {};
  sigaction(SIGINT, nullptr, &action);
  return action.sa_handler == SIG_DFL;
}

TEST(InterruptTest, CancelsMainAndRunThrowsKeyboardInterrupt) {
  EXPECT_EQ(exit_code_of([] {
              bool cleaned = false;
              auto main = [&]() -> Coroutine<> {
                get_running_loop().call_later(1ms, [] { raise(SIGINT); });
                const Result<> end = co_await as_result(sleep(1h));
                co_await sleep(1ms);
                cleaned = end.cancelled();
                end.rethrow();
              };
              try {
                run(main);
              } catch (const KeyboardInterrupt&) {
                return cleaned && has_default_action() ? 7 : 1;
              }
              return 2;
            }),
            7);
}

// As if it were cancelled where the signal arrives.
TEST(InterruptTest, CancelsMainBeforeItsNextStep) {
  EXPECT_EQ(exit_code_of([] {
              bool went_on = false;
              auto main = [&]() -> Coroutine<> {
                raise(SIGINT);
                co_await sleep(0s);
                went_on = true;
              };
              try {
                run(main);
              } catch (const KeyboardInterrupt&) {
                return went_on ? 1 : 7;
              }
              return 2;
            }),
            7);
}

TEST(InterruptTest, WakesALoopThatSleeps) {
  EXPECT_EQ(exit_code_of([] {
              const pthread_t first = pthread_self();
              std::thread thread([first] {
                std::this_thread::sleep_for(20ms);
                pthread_kill(first, SIGINT);
              });
              int code = 2;
              try {
                run(sleep(1h));
              } catch (const KeyboardInterrupt&) {
                code = 7;
              }
              thread.join();
              return code;
            }),
            7);
}

TEST(InterruptTest, AMainThatSwallowsTheFirstGoesOn) {
  EXPECT_EQ(exit_code_of([] {
              auto main = []() -> Coroutine<int> {
                get_running_loop().call_soon([] { raise(SIGINT); });
                static_cast<void>(co_await as_result(sleep(1h)));
                co_await sleep(1ms);
                co_return current_task().cancelling();
              };
              return run(main) == 1 ? 7 : 1;
            }),
            7);
}

TEST(InterruptTest, TheSecondEndsTheLoopAtOnce) {
  EXPECT_EQ(exit_code_of([] {
              std::string log;
              auto main = [&]() -> Coroutine<> {
                get_running_loop().call_later(1ms, [] { raise(SIGINT); });
                static_cast<void>(co_await as_result(sleep(1h)));
                get_running_loop().call_later(1ms, [] { raise(SIGINT); });
                const Result<> end = co_await as_result(sleep(1h));
                // The second did not cancel it: run()'s end does.
                log += end.cancelled() ? "cancelled" : "woke";
              };
              try {
                run(main);
              } catch (const KeyboardInterrupt&) {
                return log == "cancelled" ? 7 : 1;
              }
              return 2;
            }),
            7);
}

TEST(InterruptTest, WhileTheRunnerClearsUpItEndsTheLoopAtOnce) {
  EXPECT_EQ(exit_code_of([] {
              std::string log;
              auto leftover = [&]() -> Coroutine<> {
                static_cast<void>(co_await as_result(sleep(1h)));
                log += "cleaning";
                raise(SIGINT);
                co_await sleep(1h);
                log += " not reached";
              };
              auto main = [&]() -> Coroutine<> {
                static_cast<void>(create_task(leftover));
                co_await sleep(0s);
              };
              try {
                run(main);
              } catch (const KeyboardInterrupt&) {
                return log == "cleaning" && has_default_action() ? 7 : 1;
              }
              return 2;
            }),
            7);
}

TEST(InterruptTest, WhatMainThrowsInTheSameStepIsNotLost) {
  EXPECT_EQ(exit_code_of([] {
              auto main = []() -> Coroutine<> {
                co_await sleep(0s);
                raise(SIGINT);
                throw ValueError("v");
              };
              try {
                run(main);
              } catch (const ValueError&) {
                return 7;
              }
              return 2;
            }),
            7);
}

TEST(InterruptTest, AForeignCancellationStaysOne) {
  EXPECT_EQ(exit_code_of([] {
              auto main = []() -> Coroutine<> {
                current_task().cancel("mine");
                get_running_loop().call_soon([] { raise(SIGINT); });
                static_cast<void>(co_await as_result(sleep(1h)));
                co_await sleep(1h);
              };
              try {
                run(main);
              } catch (const CancelledError&) {
                return 7;
              }
              return 2;
            }),
            7);
}

TEST(InterruptTest, AHandlerOfTheUsersIsLeftInPlace) {
  static int calls = 0;
  EXPECT_EQ(exit_code_of([] {
              signal(SIGINT, [](int) { ++calls; });
              auto main = []() -> Coroutine<> {
                raise(SIGINT);
                co_await sleep(1ms);
              };
              run(main);
              raise(SIGINT);
              return calls == 2 ? 7 : calls;
            }),
            7);
}

TEST(InterruptTest, OneThatMainReplacedIsNotTakenAway) {
  EXPECT_EQ(exit_code_of([] {
              static int calls = 0;
              auto main = []() -> Coroutine<> {
                get_running_loop().add_signal_handler(SIGINT, [] { ++calls; });
                raise(SIGINT);
                co_await sleep(1ms);
              };
              Runner runner;
              runner.run(main);
              auto again = []() -> Coroutine<> {
                raise(SIGINT);
                co_await sleep(1ms);
              };
              runner.run(again);
              return calls == 2 ? 7 : calls;
            }),
            7);
}

}  // namespace
}  // namespace asyncio
