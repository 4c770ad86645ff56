/* What the peers written in C and C++ share: the clocks and the line printed.
 */
#ifndef ASYNCIO_BENCHMARKS_PEERS_CLOCK_H_
#define ASYNCIO_BENCHMARKS_PEERS_CLOCK_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds_on(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static inline double cpu_seconds(void) {
  return seconds_on(CLOCK_PROCESS_CPUTIME_ID);
}
static inline double wall_seconds(void) { return seconds_on(CLOCK_MONOTONIC); }

/* The sequence that core_paths uses. */
static uint64_t random_state = 0x9e3779b97f4a7c15;
static inline int64_t random_below(int64_t end) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (int64_t)(random_state % (uint64_t)end);
}

static inline int print_ns(const char* path, int64_t count, int64_t size,
                           double seconds) {
  printf("%s %lld %lld ns=%.2f\n", path, (long long)count, (long long)size,
         seconds * 1e9 / (double)count);
  return 0;
}

static inline int compare_doubles(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}
/* Sorts `late`, in seconds. */
static inline int print_sleepers(int64_t count, double cpu, double* late) {
  qsort(late, (size_t)count, sizeof *late, compare_doubles);
  printf("sleepers %lld 0 cpu_s=%.3f late_p99_ms=%.3f\n", (long long)count, cpu,
         late[count * 99 / 100] * 1e3);
  return 0;
}

#endif /* ASYNCIO_BENCHMARKS_PEERS_CLOCK_H_ */
