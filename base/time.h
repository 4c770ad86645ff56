// Duration and TimePoint: the two units of time of this library, each a 64-bit
// count of nanoseconds.
//
//   Duration delay = 1500ms;             // any std::chrono::duration
//   Duration half = delay / 2;
//   TimePoint deadline = loop.time() + delay;
//
// Range: 292 years to either side. Arithmetic saturates at the ends, and what is
// infinite stays so: `Duration::infinite()` plus, minus, times or divided by
// anything finite is infinite, and a deadline of `TimePoint::infinite_future()`
// never comes.
// Cost: as an int64_t.
#ifndef ASYNCIO_BASE_TIME_H_
#define ASYNCIO_BASE_TIME_H_

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>

#include "absl/time/time.h"

namespace asyncio {

namespace internal {

// Adds without overflow: what passes an end stops there.
constexpr int64_t saturated_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<int64_t>::min()
               : std::numeric_limits<int64_t>::max();
}

// Throws ValueError("Invalid delay: NaN (not a number)").
[[noreturn]] void throw_nan_delay();

// `count` units of `num / den` seconds in nanoseconds, to the nearest; what is
// more than zero never becomes zero.
int64_t nanoseconds_from(long double count, long double num, long double den);

// nanoseconds * num / den, to the nearest; the infinite one stays infinite.
int64_t scaled(int64_t nanoseconds, long double num, long double den);

}  // namespace internal

// A span of time. Negative ones exist (`a - b`); as a delay they count as zero.
class Duration {
 public:
  constexpr Duration() = default;

  // From any std::chrono::duration. Finer ones go to the nearest nanosecond.
  // A floating one that is NaN is a ValueError, an infinite one stays infinite.
  template <class Rep, class Period>
  constexpr Duration(std::chrono::duration<Rep, Period> d)  // NOLINT: implicit
      : nanoseconds_(from_chrono(d)) {}

  // absl::InfiniteDuration() becomes infinite().
  Duration(absl::Duration d);  // NOLINT: implicit

  static constexpr Duration zero() { return Duration(); }
  static constexpr Duration infinite() {
    return of(std::numeric_limits<int64_t>::max());
  }
  static constexpr Duration nanoseconds(int64_t count) { return of(count); }

  constexpr int64_t count() const { return nanoseconds_; }  // in nanoseconds
  constexpr double seconds() const {
    return static_cast<double>(nanoseconds_) / 1e9;
  }
  constexpr bool is_infinite() const { return *this == infinite(); }
  constexpr std::chrono::nanoseconds to_chrono() const {
    return std::chrono::nanoseconds(nanoseconds_);
  }

  friend constexpr auto operator<=>(Duration, Duration) = default;

  constexpr Duration operator-() const {
    return of(is_infinite() ? std::numeric_limits<int64_t>::min()
              : nanoseconds_ == std::numeric_limits<int64_t>::min()
                  ? std::numeric_limits<int64_t>::max()
                  : -nanoseconds_);
  }
  friend constexpr Duration operator+(Duration a, Duration b) {
    if (a.is_infinite() || b.is_infinite()) return infinite();
    return of(internal::saturated_add(a.nanoseconds_, b.nanoseconds_));
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    if (a.is_infinite()) return a;
    return of(internal::saturated_add(a.nanoseconds_, (-b).nanoseconds_));
  }
  template <std::integral N>
  friend constexpr Duration operator*(Duration a, N n) {
    int64_t product = 0;
    if (!__builtin_mul_overflow(a.nanoseconds_, n, &product) &&
        !a.is_infinite()) {
      return of(product);
    }
    return of((a.nanoseconds_ < 0) == (n < 0)
                  ? std::numeric_limits<int64_t>::max()
                  : std::numeric_limits<int64_t>::min());
  }
  template <std::floating_point N>
  friend Duration operator*(Duration a, N n) {
    return of(internal::scaled(a.nanoseconds_, n, 1));
  }
  template <class N>
    requires std::is_arithmetic_v<N>
  friend constexpr Duration operator*(N n, Duration a) {
    return a * n;
  }
  template <std::integral N>
  friend constexpr Duration operator/(Duration a, N n) {
    if constexpr (std::is_unsigned_v<N>) {
      if (n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return a.is_infinite() ? a : zero();
      }
    }
    const auto divisor = static_cast<int64_t>(n);
    if (divisor == -1) return -a;  // the lowest has no quotient
    if (a.is_infinite()) return divisor < 0 ? -a : a;
    return of(a.nanoseconds_ / divisor);
  }
  template <std::floating_point N>
  friend Duration operator/(Duration a, N n) {
    return of(internal::scaled(a.nanoseconds_, 1, n));
  }
  friend constexpr double operator/(Duration a, Duration b) {
    return static_cast<double>(a.nanoseconds_) /
           static_cast<double>(b.nanoseconds_);
  }
  constexpr Duration& operator+=(Duration d) { return *this = *this + d; }
  constexpr Duration& operator-=(Duration d) { return *this = *this - d; }

 private:
  static constexpr Duration of(int64_t nanoseconds) {
    Duration d;
    d.nanoseconds_ = nanoseconds;
    return d;
  }

  template <class Rep, class Period>
  static constexpr int64_t from_chrono(std::chrono::duration<Rep, Period> d) {
    using ToNano = std::ratio_divide<Period, std::nano>;
    if constexpr (std::is_integral_v<Rep> && ToNano::den == 1) {
      if (d == std::chrono::duration<Rep, Period>::max()) {
        return std::numeric_limits<int64_t>::max();
      }
      int64_t product = 0;
      if (!__builtin_mul_overflow(d.count(), ToNano::num, &product)) {
        return product;
      }
      return d.count() < 0 ? std::numeric_limits<int64_t>::min()
                           : std::numeric_limits<int64_t>::max();
    } else {
      return internal::nanoseconds_from(static_cast<long double>(d.count()),
                                        Period::num, Period::den);
    }
  }

  int64_t nanoseconds_ = 0;
};

// A moment on a loop's clock, which counts from a moment of its own choice: two
// are comparable when they come from the same clock.
class TimePoint {
 public:
  constexpr TimePoint() = default;

  static constexpr TimePoint from_nanoseconds(int64_t count) {
    TimePoint t;
    t.nanoseconds_ = count;
    return t;
  }
  // Later than every other: a deadline that never comes.
  static constexpr TimePoint infinite_future() {
    return from_nanoseconds(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }
  constexpr double seconds() const {
    return static_cast<double>(nanoseconds_) / 1e9;
  }

  friend constexpr auto operator<=>(TimePoint, TimePoint) = default;

  friend constexpr TimePoint operator+(TimePoint t, Duration d) {
    if (t == infinite_future() || d.is_infinite()) return infinite_future();
    return from_nanoseconds(
        internal::saturated_add(t.nanoseconds_, d.count()));
  }
  friend constexpr TimePoint operator+(Duration d, TimePoint t) { return t + d; }
  friend constexpr TimePoint operator-(TimePoint t, Duration d) {
    return t + -d;
  }
  friend constexpr Duration operator-(TimePoint a, TimePoint b) {
    if (a == infinite_future()) return Duration::infinite();
    return Duration::nanoseconds(a.nanoseconds_) -
           Duration::nanoseconds(b.nanoseconds_);
  }
  constexpr TimePoint& operator+=(Duration d) { return *this = *this + d; }
  constexpr TimePoint& operator-=(Duration d) { return *this = *this - d; }

 private:
  int64_t nanoseconds_ = 0;
};

// As messages show it: "1.5s", "250ms", "inf".
std::string to_string(Duration d);

}  // namespace asyncio

#endif  // ASYNCIO_BASE_TIME_H_
