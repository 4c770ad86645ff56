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
  EXPECT_EQ(level_of(31, 0), 0u);
  EXPECT_EQ(level_of(32, 0), 1u);
  EXPECT_EQ(level_of(32, 31), 1u);
  EXPECT_EQ(level_of(tick_of(kMax), tick_of(kMin)), kLevels - 1u);
}

TEST(WheelLevelTest, ASlotHoldsItsTicksFromFirstToLast) {
  const uint64_t base = 4 * 1024 + 3 * 32 + 7;
  const uint64_t tick = 4 * 1024 + 9 * 32 + 1;
  const unsigned level = level_of(tick, base);
  EXPECT_EQ(level, 1u);
  EXPECT_EQ(slot_of(tick, level), 9u);
  const uint64_t first = first_tick(base, level, 9);
  EXPECT_EQ(first, 4u * 1024 + 9 * 32);
  EXPECT_EQ(last_tick(first, level), first + 31);
  EXPECT_EQ(first_tick(0, kLevels - 1, 1),
            uint64_t{1} << ((kLevels - 1) * kDigitBits));
}

TEST(WheelLevelTest, ALevelGoesRoundThroughTheNextPeriod) {
  const uint64_t base = 5 * 1024 + 30 * 32 + 7;  // an odd period of level 1
  const uint64_t tick = 6 * 1024 + 2 * 32 + 1;
  EXPECT_EQ(level_of(tick, base), 2u);
  EXPECT_EQ(slot_of(base, 1), 62u);
  EXPECT_EQ(slot_of(tick, 1), 2u);
  EXPECT_EQ(distance_of(base, 1, 2), 4u);
  EXPECT_EQ(first_tick(base, 1, 2), 6u * 1024 + 2 * 32);
  EXPECT_TRUE(is_in_next_period(base, 1, 2));
  EXPECT_FALSE(is_in_next_period(base, 1, 63));
  EXPECT_EQ(next_period(base, 1), 6u * 1024);
}

}  // namespace
}  // namespace asyncio::internal
