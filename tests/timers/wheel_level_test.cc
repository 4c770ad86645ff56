#include "asyncio/timers/internal/wheel_level.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace asyncio::internal {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kTick = int64_t{1} << kTickBits;

TEST(WheelLevelTest, TicksCountFromTheEarliestMoment) {
  EXPECT_EQ(tick_of(kMin), 0u);
  EXPECT_EQ(tick_of(kMin + kTick - 1), 0u);
  EXPECT_EQ(tick_of(kMin + kTick), 1u);
  EXPECT_EQ(tick_of(-1) + 1, tick_of(0));
  EXPECT_EQ(tick_of(kMax), (uint64_t{1} << (64 - kTickBits)) - 1);
}

TEST(WheelLevelTest, ATickEndsBeforeTheNextBegins) {
  EXPECT_EQ(last_of_tick(0), kMin + kTick - 1);
  EXPECT_EQ(last_of_tick(tick_of(-1)), -1);
  EXPECT_EQ(last_of_tick(tick_of(kMax)), kMax);
}

TEST(WheelLevelTest, TheLevelIsThatOfTheHighestDigitThatDiffers) {
  EXPECT_EQ(level_of(1, 0), 0u);
  EXPECT_EQ(level_of(63, 0), 0u);
  EXPECT_EQ(level_of(64, 0), 1u);
  EXPECT_EQ(level_of(64, 63), 1u);
  EXPECT_EQ(level_of(tick_of(kMax), tick_of(kMin)), kLevels - 1u);
}

TEST(WheelLevelTest, ASlotHoldsItsTicksFromFirstToLast) {
  const uint64_t base = 5 * 4096 + 3 * 64 + 7;
  const uint64_t tick = 5 * 4096 + 9 * 64 + 1;
  const unsigned level = level_of(tick, base);
  EXPECT_EQ(level, 1u);
  EXPECT_EQ(digit_of(tick, level), 9u);
  const uint64_t first = first_tick(base, level, 9);
  EXPECT_EQ(first, 5u * 4096 + 9 * 64);
  EXPECT_EQ(last_tick(first, level), first + 63);
  EXPECT_EQ(first_tick(0, kLevels - 1, 1),
            uint64_t{1} << ((kLevels - 1) * kDigitBits));
}

}  // namespace
}  // namespace asyncio::internal
