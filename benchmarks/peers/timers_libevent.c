/* libevent's timers: core_paths' timer, rearm (as a common timeout, its O(1)
 * queue for timers of one length) and sleepers.
 *
 *   cc -O2 timers_libevent.c -levent_core -o timers_libevent
 *   timers_libevent PATH COUNT [SIZE] */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>

#include "clock.h"

static void on_nothing(evutil_socket_t fd, short what, void* data) {
  (void)fd, (void)what, (void)data;
}
static struct timeval microseconds(int64_t us) {
  struct timeval t = {us / 1000000, us % 1000000};
  return t;
}

static int timer(struct event_base* base, int64_t count, int64_t size) {
  struct event* armed = calloc((size_t)size + 1, sizeof *armed);
  for (int64_t i = 0; i <= size; ++i) {
    const struct timeval delay =
        microseconds(60000000 + random_below(60000000));
    evtimer_assign(&armed[i], base, on_nothing, NULL);
    if (i < size) evtimer_add(&armed[i], &delay);
  }
  struct timeval delays[1024];
  for (int i = 0; i < 1024; ++i) {
    delays[i] = microseconds(random_below(60000000));
  }
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    evtimer_add(&armed[size], &delays[i % 1024]);
    evtimer_del(&armed[size]);
  }
  return print_ns("timer", count, size, cpu_seconds() - start);
}

static int rearm(struct event_base* base, int64_t count, int64_t size) {
  struct event* armed = calloc((size_t)size, sizeof *armed);
  const struct timeval minute = microseconds(60000000);
  const struct timeval* delay = event_base_init_common_timeout(base, &minute);
  for (int64_t i = 0; i < size; ++i) {
    evtimer_assign(&armed[i], base, on_nothing, NULL);
    evtimer_add(&armed[i], delay);
  }
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    evtimer_add(&armed[random_below(size)], delay);
  }
  return print_ns("rearm", count, size, cpu_seconds() - start);
}

static double* late;
static int64_t fired;
static void on_due(evutil_socket_t fd, short what, void* due) {
  (void)fd, (void)what;
  late[fired++] = wall_seconds() - *(double*)due;
}
static int sleepers(struct event_base* base, int64_t count) {
  struct event* timers = calloc((size_t)count, sizeof *timers);
  double* due = calloc((size_t)count, sizeof *due);
  late = calloc((size_t)count, sizeof *late);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t us = random_below(1000000);
    const struct timeval delay = microseconds(us);
    evtimer_assign(&timers[i], base, on_due, &due[i]);
    due[i] = wall_seconds() + (double)us / 1e6;
    evtimer_add(&timers[i], &delay);
  }
  event_base_dispatch(base);
  return print_sleepers(count, cpu_seconds() - start, late);
}

int main(int argc, char** argv) {
  struct event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  struct event_base* base = event_base_new_with_config(config);
  if (argc < 3) return 2;
  const int64_t count = atoll(argv[2]);
  const int64_t size = argc > 3 ? atoll(argv[3]) : 0;
  if (strcmp(argv[1], "timer") == 0) return timer(base, count, size);
  if (strcmp(argv[1], "rearm") == 0) return rearm(base, count, size);
  if (strcmp(argv[1], "sleepers") == 0) return sleepers(base, count);
  return 2;
}
