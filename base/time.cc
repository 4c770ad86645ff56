#include "asyncio/base/time.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace internal {

void throw_nan_delay() {
  throw ValueError("Invalid delay: NaN (not a number)");
}

int64_t nanoseconds_from(long double count, long double num, long double den) {
  if (std::isnan(count)) throw_nan_delay();
  const long double product = count * num * 1'000'000'000 / den;
  // To the nearest, but what is more than nothing stays more than nothing.
  const long double exact =
      product > 0 && product < 1 ? 1 : std::round(product);
  if (exact >= static_cast<long double>(std::numeric_limits<int64_t>::max())) {
    return std::numeric_limits<int64_t>::max();
  }
  if (exact <= static_cast<long double>(std::numeric_limits<int64_t>::min())) {
    return std::numeric_limits<int64_t>::min();
  }
  return static_cast<int64_t>(exact);
}

int64_t scaled(int64_t nanoseconds, long double num, long double den) {
  constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();
  const long double factor = num / den;
  if (nanoseconds != kInfinite || std::isnan(factor)) {
    return nanoseconds_from(static_cast<long double>(nanoseconds) * num, 1,
                            den * 1'000'000'000);
  }
  return factor < 0 ? std::numeric_limits<int64_t>::min() : kInfinite;
}

}  // namespace internal

Duration::Duration(absl::Duration d)
    : nanoseconds_(d == absl::InfiniteDuration()
                       ? std::numeric_limits<int64_t>::max()
                       : absl::ToInt64Nanoseconds(
                             absl::Ceil(d, absl::Nanoseconds(1)))) {}

std::string to_string(Duration d) {
  if (d.is_infinite()) return "inf";
  return absl::FormatDuration(absl::Nanoseconds(d.count()));
}

}  // namespace asyncio
