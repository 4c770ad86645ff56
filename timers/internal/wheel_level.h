// Which slot a moment belongs to: the arithmetic of one level of the wheel.
//
// Time is cut into ticks of 65.5 us, a tick is written in digits of 6 bits, and
// level k has a slot for each value of digit k. Seen from the tick `base`, a
// later tick belongs to the level of the highest digit in which the two differ.
// Therefore, as long as everything in the levels is later than the base:
//
//   - all of a level comes before all of the next one;
//   - within a level, slots come in the order of their digit;
//   - equal moments share a slot, whenever they were put there.
#ifndef ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_
#define ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_

#include <bit>
#include <cstdint>

namespace asyncio::internal {

inline constexpr int kTickBits = 16;
inline constexpr int kDigitBits = 6;
inline constexpr int kSlotsPerLevel = 1 << kDigitBits;
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

constexpr unsigned digit_of(uint64_t tick, unsigned level) {
  return static_cast<unsigned>(tick >> (level * kDigitBits)) % kSlotsPerLevel;
}

// The first tick of slot `digit` of `level`, seen from `base`.
constexpr uint64_t first_tick(uint64_t base, unsigned level, unsigned digit) {
  const unsigned shift = level * kDigitBits;
  return (base >> (shift + kDigitBits) << (shift + kDigitBits)) |
         (uint64_t{digit} << shift);
}

// The last tick of the slot of `level` that starts at `first`.
constexpr uint64_t last_tick(uint64_t first, unsigned level) {
  return first | ((uint64_t{1} << (level * kDigitBits)) - 1);
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_TIMERS_INTERNAL_WHEEL_LEVEL_H_
