/* posix_spawn and waitpid alone: what /bin/true costs without a loop.
 *
 *   cc -O2 process_posix_spawn.c && ./a.out COUNT [AT_ONCE]
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void start_one(void) {
  char* argv[] = {"/bin/true", NULL};
  pid_t pid;
  if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0) abort();
}

static void wait_for_one(void) {
  int status;
  if (wait(&status) < 0 || status != 0) abort();
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 1000;
  const int at_once = argc > 2 ? atoi(argv[2]) : 1;
  const double start = now();
  int running = 0;
  for (int i = 0; i < count; ++i) {
    if (running == at_once) {
      wait_for_one();
      --running;
    }
    start_one();
    ++running;
  }
  for (; running > 0; --running) wait_for_one();
  printf("ns=%.0f\n", (now() - start) / count);
}
