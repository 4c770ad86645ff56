// LoopFixture: a loop on a virtual clock, for tests of the loop without tasks.
#ifndef ASYNCIO_TESTS_LOOP_LOOP_FIXTURE_H_
#define ASYNCIO_TESTS_LOOP_LOOP_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {

class LoopFixture : public ::testing::Test {
 protected:
  LoopFixture() : loop_owner_(new_event_loop({.clock = &clock})) {
    loop.set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          reports.push_back(report);
        });
  }
  ~LoopFixture() override {
    for (const ExceptionContext& report : reports) {
      ADD_FAILURE() << "the loop was told: " << report.message << " ("
                    << exception_message(report.exception) << ")";
    }
  }

  // Runs this many iterations.
  void run_iterations(int n = 1) {
    for (int i = 0; i < n; ++i) {
      loop.stop();
      loop.run_forever();
    }
  }

  // Runs until `delay` has passed on the virtual clock.
  void run_for(Duration delay) {
    loop.call_later(delay, [this] { loop.stop(); });
    loop.run_forever();
  }

  // So many batches, each of which notes its number and calls act(number): a loop
  // that has always something ready, and does not look outside for itself.
  void run_busy(int batches, std::function<void(int)> act) {
    int batch = 0;
    std::function<void()> turn = [&] {
      log += std::to_string(++batch);
      act(batch);
      if (batch == batches) return loop.stop();
      loop.call_soon(std::ref(turn));
    };
    loop.call_soon(std::ref(turn));
    loop.run_forever();
  }

  void end_loop() { loop_owner_ = nullptr; }

  // A callable that appends to `log`.
  auto note(std::string text) {
    return [this, text] { log += text; };
  }

  VirtualClock clock;
  std::vector<ExceptionContext> reports;
  std::string log;

 private:
  std::unique_ptr<EventLoop> loop_owner_;

 protected:
  EventLoop& loop = *loop_owner_;
};

// The text of the exception that `fn` throws; "" where it throws none.
template <class E>
std::string thrown(const std::function<void()>& fn) {
  try {
    fn();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_LOOP_LOOP_FIXTURE_H_
