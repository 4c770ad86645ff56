#include "asyncio/testing/cancel_everywhere.h"

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {
namespace {

// A scene that takes more turns than this hangs.
constexpr int kMaxTurns = 10'000;
constexpr int kNever = -1;
// So does one that waits as long for a descriptor, in real time.
constexpr std::chrono::seconds kMaxWait(10);

}  // namespace

// One play of a scene, turn by turn.
class CancelRound {
 public:
  // Cancels before turn `first` of the started task, and again before `second`.
  CancelRound(const std::function<Coroutine<>(CancelScene&)>& scene,
              const CancelLoopFactory& new_loop, int first, int second)
      : first_(first),
        second_(second),
        loop_(new_loop ? new_loop(clock_)
                       : new_event_loop({.clock = &clock_})) {
    scene_.cancels_ = first != kNever;
    loop_->set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          fail("the loop was told: " + report.message + " (" +
               exception_name(report.exception) + ": " +
               exception_message(report.exception) + ")");
        });
    main_ = create_task(*loop_, scene(scene_));
  }

  bool failed() const { return failed_; }

  // How many turns the started task took.
  int play() {
    int turns = 0;
    for (int total = 0; !main_.done(); ++total) {
      if (total == kMaxTurns || !turn()) {
        fail("the scene hangs");
        break;
      }
      if (scene_.victim_ && !scene_.victim_->done()) {
        if (turns == first_ || turns == second_) scene_.victim_->cancel();
        ++turns;
      }
    }
    finish();
    return turns;
  }

 private:
  std::string name() const {
    if (first_ == kNever) return "Without a cancellation";
    std::string text = "Cancelled before turn " + std::to_string(first_);
    if (second_ != kNever) text += " and before turn " + std::to_string(second_);
    return text;
  }

  // Of a round the first failure alone is told.
  void fail(const std::string& what) {
    if (!std::exchange(failed_, true)) ADD_FAILURE() << name() << " " << what;
  }

  // One iteration of the loop; time moves where nothing is ready. False where
  // nothing ever will be.
  bool turn() {
    // As on any virtual clock, calls on other threads are waited for.
    while (!internal::LoopAccess::has_ready(*loop_) &&
           internal::LoopAccess::has_outside_work(*loop_)) {
      std::this_thread::yield();
    }
    // What the kernel has for it comes before the time moves on.
    if (!internal::LoopAccess::has_ready(*loop_)) look_for_events();
    if (!internal::LoopAccess::has_ready(*loop_)) {
      auto deadline = internal::LoopAccess::next_deadline(*loop_);
      if (!deadline) {
        if (!wait_for_event()) return false;
      } else {
        clock_.jump_to(*deadline);
      }
    }
    loop_->stop();
    loop_->run_forever();
    return true;
  }

  // False where no descriptor is watched.
  bool look_for_events() {
    return internal::LoopAccess::look_for_events(*loop_);
  }
  // False where none becomes ready.
  bool wait_for_event() {
    const auto give_up = std::chrono::steady_clock::now() + kMaxWait;
    while (look_for_events()) {
      if (internal::LoopAccess::has_ready(*loop_)) return true;
      if (std::chrono::steady_clock::now() > give_up) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return false;
  }

  void finish() {
    if (main_.done()) {
      if (main_.cancelled()) {
        fail("the scene itself was cancelled");
      } else if (std::exception_ptr e = main_.exception()) {
        fail("the scene threw " + exception_name(e) + ": " +
             exception_message(e));
      }
      for (const AnyTask& task : all_tasks(*loop_)) {
        fail("it left " + to_string(task));
      }
    } else {
      // What hangs would be reported once more.
      loop_->set_exception_handler(
          [](EventLoop&, const ExceptionContext&) {});
    }
    main_ = Task<>();
    scene_.victim_.reset();
    loop_ = nullptr;
  }

  const int first_;
  const int second_;
  bool failed_ = false;
  VirtualClock clock_;
  CancelScene scene_;
  std::unique_ptr<EventLoop> loop_;
  Task<> main_;
};

Coroutine<Result<>> CancelScene::ended() {
  Task<> victim = *victim_;
  co_return co_await as_result(victim);
}

int cancel_everywhere(const std::function<Coroutine<>(CancelScene&)>& scene,
                      const CancelLoopFactory& new_loop) {
  int rounds = 0;
  // Plays a round, unless one has failed: the next would only say so again.
  bool failed = false;
  auto play = [&](int first, int second) {
    if (failed) return 0;
    CancelRound round(scene, new_loop, first, second);
    const int turns = round.play();
    failed = round.failed();
    ++rounds;
    return turns;
  };
  const int turns = play(kNever, kNever);
  for (int first = 0; first < turns && !failed; ++first) {
    const int until = play(first, kNever);
    for (int second = first + 1; second < until && !failed; ++second) {
      play(first, second);
    }
  }
  return rounds;
}

}  // namespace asyncio
