#include "asyncio/loop/clock.h"

#include <time.h>

#include "asyncio/base/time.h"

namespace asyncio {
namespace {

class SystemClock final : public Clock {
 public:
  TimePoint now() override {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return TimePoint::from_nanoseconds(t.tv_sec * 1'000'000'000 + t.tv_nsec);
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace asyncio
