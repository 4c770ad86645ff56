// Ten million random operations on wheels of several sizes, each compared with
// the model: what fires, in which order, the next deadline and its bound.

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

#include "asyncio/tests/timers/timer_wheel_model.h"

namespace asyncio {
namespace {

// xorshift64*: the same numbers everywhere, and cheap without optimisation.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  bool exhausted() const { return false; }
  uint64_t below(uint64_t n) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545f4914f6cdd1d >> 1) % n;
  }

 private:
  uint64_t state_;
};

void compare(uint64_t seed, size_t timers, uint64_t operations) {
  Random random(seed);
  ModelledWheel<Random> wheel(random, timers);
  while (wheel.operations() < operations) wheel.step();
}

TEST(TimerWheelRandomTest, FewTimersAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 1000; ++seed) compare(seed, 4, 3'000);
}

TEST(TimerWheelRandomTest, AHundredTimersAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 400; ++seed) compare(seed, 100, 10'000);
}

TEST(TimerWheelRandomTest, ThousandsOfTimersAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 30; ++seed) compare(seed, 3'000, 100'000);
}

}  // namespace
}  // namespace asyncio
