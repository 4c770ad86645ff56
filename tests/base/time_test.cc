#include "asyncio/base/time.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

int64_t count(Duration d) { return d.count(); }

TEST(DurationTest, ComesFromEveryChronoDuration) {
  static_assert(Duration(1500ms).count() == 1'500'000'000);
  EXPECT_EQ(count(1ns), 1);
  EXPECT_EQ(count(2h), 7'200'000'000'000);
  EXPECT_EQ(count(Seconds(0.25)), 250'000'000);
  EXPECT_EQ(count(Seconds(-1.5)), -1'500'000'000);
  EXPECT_EQ(count(std::chrono::duration<float, std::milli>(2.5f)), 2'500'000);
  EXPECT_EQ(count(std::chrono::duration<int, std::ratio<1, 3>>(1)),
            333'333'333);
  EXPECT_EQ(Duration(), Duration::zero());
}

TEST(DurationTest, FinerUnitsGoToTheNearestButNeverToZero) {
  EXPECT_EQ(count(std::chrono::duration<int64_t, std::pico>(1499)), 1);
  EXPECT_EQ(count(std::chrono::duration<int64_t, std::pico>(1500)), 2);
  EXPECT_EQ(count(std::chrono::duration<int64_t, std::pico>(1)), 1);
  EXPECT_EQ(count(Seconds(1e-30)), 1);
  EXPECT_EQ(count(Seconds(0)), 0);
}

TEST(DurationTest, TooLongSaturatesAndInfiniteStaysInfinite) {
  EXPECT_TRUE(Duration(std::chrono::hours::max()).is_infinite());
  EXPECT_EQ(count(std::chrono::hours::min()), kMin);
  EXPECT_TRUE(Duration(Seconds(HUGE_VAL)).is_infinite());
  EXPECT_EQ(count(Seconds(-HUGE_VAL)), kMin);
  EXPECT_TRUE(Duration(Seconds(1e30)).is_infinite());
}

TEST(DurationTest, NanIsAValueError) {
  for (double nan : {std::nan(""), -std::nan("")}) {
    try {
      Duration d = Seconds(nan);
      FAIL() << d.count();
    } catch (const ValueError& e) {
      EXPECT_STREQ(e.what(), "Invalid delay: NaN (not a number)");
    }
  }
  EXPECT_THROW(Duration(1s) * std::nan(""), ValueError);
  EXPECT_THROW(Duration::infinite() * std::nan(""), ValueError);
}

TEST(DurationTest, ComesFromAbslDuration) {
  EXPECT_EQ(count(absl::Milliseconds(3)), 3'000'000);
  EXPECT_EQ(count(absl::Nanoseconds(1) / 4), 1);
  EXPECT_TRUE(Duration(absl::InfiniteDuration()).is_infinite());
  EXPECT_EQ(count(-absl::InfiniteDuration()), kMin);
}

TEST(DurationTest, CalculatesAndCompares) {
  const Duration d = 3s;
  EXPECT_EQ(d + 500ms, Duration(3500ms));
  EXPECT_EQ(d - 5s, Duration(-2s));
  EXPECT_EQ(-d, Duration(-3s));
  EXPECT_EQ(d * 2, Duration(6s));
  EXPECT_EQ(2 * d, Duration(6s));
  EXPECT_EQ(d * 0.5, Duration(1500ms));
  EXPECT_EQ(d / 2, Duration(1500ms));
  EXPECT_EQ(d / 1.5, Duration(2s));
  EXPECT_DOUBLE_EQ(d / Duration(2s), 1.5);
  EXPECT_LT(d, Duration(4s));
  Duration sum = d;
  sum += 1s;
  sum -= 2s;
  EXPECT_EQ(sum, Duration(2s));
  EXPECT_DOUBLE_EQ(Duration(1500ms).seconds(), 1.5);
  EXPECT_EQ(d.to_chrono(), std::chrono::nanoseconds(3s));
}

TEST(DurationTest, InfiniteAbsorbsWhatIsFinite) {
  const Duration inf = Duration::infinite();
  EXPECT_EQ(inf + 1s, inf);
  EXPECT_EQ(inf - 1s, inf);
  EXPECT_EQ(inf + -inf, inf);
  EXPECT_EQ(inf * 0.001, inf);
  EXPECT_EQ(inf * 3, inf);
  EXPECT_EQ(inf / 2, inf);
  EXPECT_EQ(inf / 2.5, inf);
  EXPECT_EQ(inf / -2, -inf);
  EXPECT_EQ(inf * -0.5, -inf);
  EXPECT_EQ((-inf).count(), kMin);
  EXPECT_EQ(1s - inf, 1s + -inf);
}

TEST(DurationTest, ArithmeticSaturates) {
  const Duration most = Duration::nanoseconds(kMax - 1);
  EXPECT_TRUE((most + 1s).is_infinite());
  EXPECT_TRUE((most * 2).is_infinite());
  EXPECT_EQ((most * -2).count(), kMin);
  EXPECT_EQ((-most - 1s).count(), kMin);
  EXPECT_EQ(Duration::nanoseconds(kMin) / -1, Duration::infinite());
  EXPECT_EQ(Duration(1s) / std::numeric_limits<uint64_t>::max(), Duration());
}

TEST(DurationTest, IsPrinted) {
  EXPECT_EQ(to_string(1500ms), "1.5s");
  EXPECT_EQ(to_string(250ms), "250ms");
  EXPECT_EQ(to_string(Duration()), "0");
  EXPECT_EQ(to_string(Duration::infinite()), "inf");
}

TEST(TimePointTest, CalculatesAndCompares) {
  const TimePoint t = TimePoint::from_nanoseconds(5'000'000'000);
  EXPECT_EQ((t + 1s).nanoseconds(), 6'000'000'000);
  EXPECT_EQ(1s + t, t + 1s);
  EXPECT_EQ((t - 7s).nanoseconds(), -2'000'000'000);
  EXPECT_EQ((t + 3s) - t, Duration(3s));
  EXPECT_LT(t, t + 1ns);
  EXPECT_DOUBLE_EQ(t.seconds(), 5.0);
  TimePoint moved = t;
  moved += 2s;
  moved -= 1s;
  EXPECT_EQ(moved, t + 1s);
}

TEST(TimePointTest, InfiniteFutureIsLaterThanAllAndAbsorbs) {
  const TimePoint never = TimePoint::infinite_future();
  EXPECT_GT(never, TimePoint::from_nanoseconds(kMax - 1));
  EXPECT_EQ(never - 1h, never);
  EXPECT_EQ(never + -1h, never);
  EXPECT_EQ(TimePoint() + Duration::infinite(), never);
  EXPECT_EQ(never - TimePoint(), Duration::infinite());
  EXPECT_EQ(TimePoint::from_nanoseconds(kMax - 1) + 1h, never);
}

}  // namespace
}  // namespace asyncio
