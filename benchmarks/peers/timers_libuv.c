/* libuv's timers, wake-ups and processes: core_paths' timer, rearm, sleepers,
 * post, ping_pong and process.
 *
 *   cc -O2 timers_libuv.c -luv -lpthread -o timers_libuv
 *   timers_libuv PATH COUNT [SIZE]
 *
 * uv_async_send() coalesces: many sends, one callback. */
#include <string.h>
#include <uv.h>

#include "clock.h"

static void on_nothing(uv_timer_t* timer) { (void)timer; }

static uv_timer_t* arm(uv_loop_t* loop, int64_t n) {
  uv_timer_t* armed = calloc((size_t)n + 1, sizeof *armed);
  for (int64_t i = 0; i < n; ++i) {
    uv_timer_init(loop, &armed[i]);
    uv_timer_start(&armed[i], on_nothing,
                   60000 + (uint64_t)random_below(60000), 0);
  }
  uv_timer_init(loop, &armed[n]);
  return armed;
}

static int timer(uv_loop_t* loop, int64_t count, int64_t size) {
  uv_timer_t* extra = &arm(loop, size)[size];
  int64_t delays[1024];
  for (int i = 0; i < 1024; ++i) delays[i] = random_below(60000);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    uv_timer_start(extra, on_nothing, (uint64_t)delays[i % 1024], 0);
    uv_timer_stop(extra);
  }
  return print_ns("timer", count, size, cpu_seconds() - start);
}

static int rearm(uv_loop_t* loop, int64_t count, int64_t size) {
  uv_timer_t* armed = arm(loop, size);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    uv_timer_start(&armed[random_below(size)], on_nothing, 60000, 0);
  }
  return print_ns("rearm", count, size, cpu_seconds() - start);
}

static double* late;
static double* due;
static int64_t fired;
static void on_due(uv_timer_t* timer) {
  late[fired] = wall_seconds() - due[(intptr_t)timer->data];
  ++fired;
}
static int sleepers(uv_loop_t* loop, int64_t count) {
  uv_timer_t* timers = calloc((size_t)count, sizeof *timers);
  late = calloc((size_t)count, sizeof *late);
  due = calloc((size_t)count, sizeof *due);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t delay = random_below(1000);
    uv_timer_init(loop, &timers[i]);
    timers[i].data = (void*)(intptr_t)i;
    uv_update_time(loop); /* else it counts from the last iteration */
    due[i] = wall_seconds() + (double)delay / 1e3;
    uv_timer_start(&timers[i], on_due, (uint64_t)delay, 0);
  }
  uv_run(loop, UV_RUN_DEFAULT);
  return print_sleepers(count, cpu_seconds() - start, late);
}

static int64_t posts;
static void on_post(uv_async_t* async) {
  if (__atomic_load_n(&posts, __ATOMIC_ACQUIRE) == 0) {
    uv_close((uv_handle_t*)async, NULL);
  }
}
static void send_all(void* async) {
  for (int64_t left = posts; left-- > 0;) {
    __atomic_store_n(&posts, left, __ATOMIC_RELEASE);
    uv_async_send(async);
  }
}
static int post(uv_loop_t* loop, int64_t count) {
  uv_async_t async;
  uv_thread_t thread;
  posts = count;
  uv_async_init(loop, &async, on_post);
  const double start = wall_seconds();
  uv_thread_create(&thread, send_all, &async);
  uv_thread_join(&thread);
  uv_run(loop, UV_RUN_DEFAULT);
  return print_ns("post", count, 0, wall_seconds() - start);
}

/* A wake-up each way; neither coalesces, as each waits for the other. */
static uv_async_t here, there;
static int64_t rounds;
static void on_there(uv_async_t* async) {
  (void)async;
  uv_async_send(&here);
}
static void on_here(uv_async_t* async) {
  (void)async;
  if (--rounds == 0) {
    uv_stop(here.loop);
  } else {
    uv_async_send(&there);
  }
}
static void on_stop(uv_async_t* async) { uv_stop(async->loop); }
static void run_there(void* loop) { uv_run(loop, UV_RUN_DEFAULT); }
static int ping_pong(uv_loop_t* loop, int64_t count) {
  uv_loop_t other;
  uv_async_t stop;
  uv_thread_t thread;
  uv_loop_init(&other);
  uv_async_init(loop, &here, on_here);
  uv_async_init(&other, &there, on_there);
  uv_async_init(&other, &stop, on_stop);
  rounds = count;
  uv_thread_create(&thread, run_there, &other);
  const double start = wall_seconds();
  uv_async_send(&there);
  uv_run(loop, UV_RUN_DEFAULT);
  const double seconds = wall_seconds() - start;
  uv_async_send(&stop);
  uv_thread_join(&thread);
  return print_ns("ping_pong", count, 0, seconds);
}

static int64_t processes; /* left to start */
static void start_process(uv_loop_t* loop);
static void on_exit_of(uv_process_t* process, int64_t status, int signal) {
  uv_loop_t* loop = process->loop;
  if (status != 0 || signal != 0) exit(1);
  uv_close((uv_handle_t*)process, (uv_close_cb)free);
  if (processes > 0) start_process(loop);
}
static void start_process(uv_loop_t* loop) {
  uv_process_t* process = malloc(sizeof *process);
  char* arguments[] = {"/bin/true", NULL};
  uv_process_options_t options = {0};
  /* The standard descriptors as they are. */
  uv_stdio_container_t stdio[3];
  for (int i = 0; i < 3; ++i) {
    stdio[i].flags = UV_INHERIT_FD;
    stdio[i].data.fd = i;
  }
  options.stdio = stdio;
  options.stdio_count = 3;
  --processes;
  options.file = arguments[0];
  options.args = arguments;
  options.exit_cb = on_exit_of;
  if (uv_spawn(loop, process, &options) != 0) exit(1);
}
static int process(uv_loop_t* loop, int64_t count, int64_t at_once) {
  processes = count;
  const double start = wall_seconds();
  while (at_once-- > 0 && processes > 0) start_process(loop);
  uv_run(loop, UV_RUN_DEFAULT);
  return print_ns("process", count, 0, wall_seconds() - start);
}

int main(int argc, char** argv) {
  uv_loop_t* loop = uv_default_loop();
  if (argc < 3) return 2;
  const int64_t count = atoll(argv[2]);
  const int64_t size = argc > 3 ? atoll(argv[3]) : 0;
  if (strcmp(argv[1], "timer") == 0) return timer(loop, count, size);
  if (strcmp(argv[1], "rearm") == 0) return rearm(loop, count, size);
  if (strcmp(argv[1], "sleepers") == 0) return sleepers(loop, count);
  if (strcmp(argv[1], "post") == 0) return post(loop, count);
  if (strcmp(argv[1], "ping_pong") == 0) return ping_pong(loop, count);
  if (strcmp(argv[1], "process") == 0) return process(loop, count, size);
  return 2;
}
