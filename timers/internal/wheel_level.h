// Which slot a moment belongs to: the arithmetic of one level of the wheel.
//
// Time is cut into ticks of 65.5 us, a tick is written in digits of 5 bits, and
// level k counts in units of 32^k ticks. Seen from the tick `base`, a later tick
// belongs to the level of the highest digit in which the two differ. A level has
// twice as many slots as a digit has values, and goes round: the unit's number
// modulo 64 says which. Those of the base's period, in which the digits above are
// the base's, are later than the base; those of the next period follow them, and
// hold what has been brought down from the level above before its time.
//
// Therefore, as long as everything in the levels is later than the base:
//
//   - within a level, slots come in the order of their distance from the base's;
//   - all of a level's own period comes before all of the next level;
//   - equal moments that were put there from the same base share a slot.
#ifndef ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_
#define ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_

#include <bit>
#include <cstdint>

namespace asyncio::internal {

inline constexpr int kTickBits = 16;
inline constexpr int kDigitBits = 5;
inline constexpr int kSlotsPerPeriod = 1 << kDigitBits;
inline constexpr int kSlotsPerLevel = 2 * kSlotsPerPeriod;
// Enough that every int64_t of nanoseconds has its place.
inline constexpr int kLevels = (64 - kTickBits + kDigitBits - 1) / kDigitBits;

// Ticks are counted from the earliest moment there is, so none is negative.
constexpr uint64_t tick_of(int64_t nanoseconds) {
  return (static_cast<uint64_t>(nanoseconds) ^ (uint64_t{1} << 63)) >>
         kTickBits;
}

// The last nanosecond of a tick.
constexpr int64_t last_of_tick(uint64_t tick) {
  return static_cast<int64_t>((((tick + 1) << kTickBits) - 1) ^
                              (uint64_t{1} << 63));
}

// `tick` is later than `base`.
constexpr unsigned level_of(uint64_t tick, uint64_t base) {
  return static_cast<unsigned>(std::bit_width(tick ^ base) - 1) / kDigitBits;
}

// The number of the unit of `level` that a tick is in.
constexpr uint64_t unit_of(uint64_t tick, unsigned level) {
  return tick >> (level * kDigitBits);
}

constexpr unsigned slot_of(uint64_t tick, unsigned level) {
  return static_cast<unsigned>(unit_of(tick, level)) % kSlotsPerLevel;
}

// How many units of `level` slot `slot` is ahead of the base's.
constexpr unsigned distance_of(uint64_t base, unsigned level, unsigned slot) {
  return (slot - slot_of(base, level)) % kSlotsPerLevel;
}

// The first tick of slot `slot` of `level`, seen from `base`.
constexpr uint64_t first_tick(uint64_t base, unsigned level, unsigned slot) {
  return (unit_of(base, level) + distance_of(base, level, slot))
         << (level * kDigitBits);
}

// The last tick of the slot of `level` that starts at `first`.
constexpr uint64_t last_tick(uint64_t first, unsigned level) {
  return first | ((uint64_t{1} << (level * kDigitBits)) - 1);
}

// Whether slot `slot` of `level` is in the base's next period, which begins with
// next_period().
constexpr bool is_in_next_period(uint64_t base, unsigned level, unsigned slot) {
  return ((slot ^ slot_of(base, level)) >> kDigitBits) != 0;
}
constexpr uint64_t next_period(uint64_t base, unsigned level) {
  return (unit_of(base, level + 1) + 1) << ((level + 1) * kDigitBits);
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_
