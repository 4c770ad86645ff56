/* libuv: uv_spawn of /bin/true, the next when one has ended.
 *
 *   cc -O2 process_libuv.c -luv && ./a.out COUNT [AT_ONCE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t* loop;
static int left;

static void start_one(uv_process_t* process);

static void on_close(uv_handle_t* handle) {
  if (left > 0) {
    start_one((uv_process_t*)handle);
  } else {
    free(handle);
  }
}

static void on_exit_of(uv_process_t* process, int64_t status, int signal) {
  if (status != 0 || signal != 0) abort();
  uv_close((uv_handle_t*)process, on_close);
}

static void start_one(uv_process_t* process) {
  char* argv[] = {"/bin/true", NULL};
  uv_stdio_container_t stdio[3];
  for (int i = 0; i < 3; ++i) {
    stdio[i].flags = UV_INHERIT_FD;
    stdio[i].data.fd = i;
  }
  uv_process_options_t options = {0};
  options.file = argv[0];
  options.args = argv;
  options.exit_cb = on_exit_of;
  options.stdio = stdio;
  options.stdio_count = 3;
  --left;
  if (uv_spawn(loop, process, &options) != 0) abort();
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 1000;
  const int at_once = argc > 2 ? atoi(argv[2]) : 1;
  loop = uv_default_loop();
  left = count;
  const uint64_t start = uv_hrtime();
  for (int i = 0; i < at_once && left > 0; ++i) {
    start_one(malloc(sizeof(uv_process_t)));
  }
  uv_run(loop, UV_RUN_DEFAULT);
  printf("ns=%.0f\n", (double)(uv_hrtime() - start) / count);
}
