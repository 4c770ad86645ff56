// Measurement: what one path of core_paths measures, and the line that it prints.
#ifndef ASYNCIO_BENCHMARKS_MEASUREMENT_H_
#define ASYNCIO_BENCHMARKS_MEASUREMENT_H_

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <time.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

namespace asyncio {

inline double seconds_on(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

class Measurement {
 public:
  Measurement(int64_t count, int64_t size) : count(count), size(size) {}

  // The part between the two is what is timed; under callgrind, what is counted.
  void start(clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
    clock_ = clock;
    CALLGRIND_START_INSTRUMENTATION;
    start_ = seconds_on(clock);
  }
  void stop() {
    seconds_ = seconds_on(clock_) - start_;
    CALLGRIND_STOP_INSTRUMENTATION;
  }
  // In place of a time.
  void set_memory(double bytes) { bytes_ = bytes; }
  // Beside it.
  void set_lateness(double p99_seconds) { late_seconds_ = p99_seconds; }

  void print(std::string_view path) const {
    std::printf("%.*s %lld %lld ", static_cast<int>(path.size()), path.data(),
                static_cast<long long>(count), static_cast<long long>(size));
    if (bytes_) {
      std::printf("bytes=%.1f\n", *bytes_);
    } else if (late_seconds_) {
      std::printf("cpu_s=%.3f late_p99_ms=%.3f\n", seconds_,
                  *late_seconds_ * 1e3);
    } else {
      std::printf("ns=%.2f\n", seconds_ * 1e9 / static_cast<double>(count));
    }
  }

  const int64_t count;
  const int64_t size;

 private:
  clockid_t clock_ = CLOCK_PROCESS_CPUTIME_ID;
  double start_ = 0;
  double seconds_ = 0;
  std::optional<double> bytes_;
  std::optional<double> late_seconds_;
};

// Kept out of the compiler's sight.
inline void use(int64_t value) { asm volatile("" : : "r"(value) : "memory"); }

}  // namespace asyncio

#endif  // ASYNCIO_BENCHMARKS_MEASUREMENT_H_
