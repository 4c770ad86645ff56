// Chance against a model: the loop's order of calls is that of a sorted list.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/testing/virtual_clock.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

// The loop as its documentation tells it: what is ready first in, first out,
// and timers by deadline, equal ones as they were made.
class Model {
 public:
  void call_soon(int id) { ready_.push_back(id); }
  void call_at(TimePoint when, int id) {
    auto place = std::upper_bound(
        timers_.begin(), timers_.end(), when,
        [](TimePoint t, const Timer& timer) { return t < timer.when; });
    timers_.insert(place, {when, id});
  }
  void cancel(int id) {
    std::erase_if(timers_, [id](const Timer& t) { return t.id == id; });
    std::erase(ready_, id);
    std::erase(batch_, id);
  }
  // One iteration begins: which call is next? The time moves where nothing is
  // ready.
  void begin(TimePoint& now) {
    if (ready_.empty() && !timers_.empty()) {
      now = std::max(now, timers_.front().when);
    }
    while (!timers_.empty() && timers_.front().when <= now) {
      ready_.push_back(timers_.front().id);
      timers_.erase(timers_.begin());
    }
    batch_ = std::move(ready_);
    ready_.clear();
  }
  // The next call of the iteration, or -1.
  int next() {
    if (batch_.empty()) return -1;
    const int id = batch_.front();
    batch_.erase(batch_.begin());
    return id;
  }
  bool idle() const { return ready_.empty() && timers_.empty(); }

 private:
  struct Timer {
    TimePoint when;
    int id;
  };
  std::vector<int> ready_;
  std::vector<int> batch_;
  std::vector<Timer> timers_;
};

// Runs a program made up from `seed` in the loop, and again in the model, and
// compares. What a call does depends on its number alone.
class Program {
 public:
  explicit Program(uint32_t seed) : seed_(seed) {}

  std::vector<std::string> run_in_loop() {
    VirtualClock clock;
    auto loop = new_event_loop({.clock = &clock});
    std::vector<Handle> handles;
    std::vector<std::string> log;
    std::function<void(int)> call;
    auto act = [&](int id) {
      actions(
          id, static_cast<int>(handles.size()), clock.now(),
          [&](int n) { handles.push_back(loop->call_soon(call, n)); },
          [&](TimePoint when, int n) {
            handles.push_back(loop->call_at(when, call, n));
          },
          [&](int n) { handles[static_cast<size_t>(n)].cancel(); });
    };
    int left = kCalls;
    call = [&](int id) {
      log.push_back(line(id, clock.now()));
      if (--left == 0) loop->stop();
      act(id);
    };
    for (int i = 0; i < 20; ++i) act(-1 - i);
    // Where all ends before kCalls: the last timer of all stops it.
    loop->call_at(TimePoint::from_nanoseconds(kEnd), [&] { loop->stop(); });
    loop->run_forever();
    return log;
  }

  std::vector<std::string> run_in_model() {
    Model model;
    TimePoint now = VirtualClock::kStart;
    int made = 0;
    std::vector<std::string> log;
    auto act = [&](int id) {
      actions(
          id, made, now, [&](int n) { ++made, model.call_soon(n); },
          [&](TimePoint when, int n) { ++made, model.call_at(when, n); },
          [&](int n) { model.cancel(n); });
    };
    int left = kCalls;
    bool stopping = false;
    for (int i = 0; i < 20; ++i) act(-1 - i);
    while (!stopping && !model.idle()) {
      model.begin(now);
      for (int id = model.next(); id >= 0; id = model.next()) {
        log.push_back(line(id, now));
        if (--left == 0) stopping = true;
        act(id);
      }
    }
    return log;
  }

 private:
  static constexpr int kCalls = 2000;
  static constexpr int64_t kEnd = int64_t{1} << 60;

  static std::string line(int id, TimePoint now) {
    return std::to_string(id) + "@" + std::to_string(now.nanoseconds());
  }

  template <class Soon, class At, class Cancel>
  void actions(int id, int made, TimePoint now, Soon soon, At at,
               Cancel cancel) {
    std::minstd_rand random(seed_ + static_cast<uint32_t>(id + 100) * 7919u);
    auto chance = [&](uint32_t n) {
      return static_cast<int64_t>((random() >> 4) % n);
    };
    const int64_t count = chance(4);
    for (int64_t i = 0; i < count; ++i) {
      switch (chance(6)) {
        case 0:
        case 1:
          soon(made++);
          break;
        case 2:
          at(now + chance(5) * 1ms - 1ms, made++);
          break;
        case 3:
          at(now + Duration::nanoseconds(chance(1u << 20)), made++);
          break;
        case 4:
          at(now + chance(1000) * 1h, made++);
          break;
        default:
          if (made > 0) {
            cancel(static_cast<int>(chance(static_cast<uint32_t>(made))));
          }
      }
    }
  }

  const uint32_t seed_;
};

TEST(RandomTest, LoopAndModelCallTheSameAtTheSameTimes) {
  size_t calls = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    Program program(seed);
    const std::vector<std::string> expected = program.run_in_model();
    ASSERT_EQ(program.run_in_loop(), expected) << "seed " << seed;
    calls += expected.size();
  }
  EXPECT_GT(calls, 30'000u);
}

}  // namespace
}  // namespace asyncio
