// What the kernel and the processor allow, without a loop: the floor of the
// paths between threads and of processes.
//
//   c++ -std=c++20 -O2 bare.cc -lpthread -o bare
//   bare PATH COUNT [SIZE]
//
// ping_pong       two threads that wake each other by an eventfd in an epoll
// ping_pong_apart the same, each thread on its own core
// ping_pong_spin  two threads, each on its core, that look at one flag in turn
// process         posix_spawn() and wait() of /bin/true, SIZE at a time
//
// By the clock.

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sched.h>
#include <spawn.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace {

double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void print_ns(std::string_view path, int64_t count, int64_t size,
              double taken) {
  std::printf("%s %lld %lld ns=%.2f\n", path.data(),
              static_cast<long long>(count), static_cast<long long>(size),
              taken * 1e9 / static_cast<double>(count));
}

class Doorbell {
 public:
  Doorbell() {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
  }
  void ring() {
    const uint64_t one = 1;
    if (write(fd_, &one, sizeof one) != sizeof one) std::abort();
  }
  void wait() {
    epoll_event event;
    if (epoll_wait(epoll_, &event, 1, -1) != 1) std::abort();
  }

 private:
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  const int fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};

void stay_on_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

void wake_each_other(std::string_view path, int64_t count, bool apart) {
  Doorbell here, there;
  if (apart) stay_on_core(0);
  std::jthread other([&] {
    if (apart) stay_on_core(1);
    for (int64_t i = 0; i < count; ++i) {
      there.wait();
      here.ring();
    }
  });
  const double start = seconds();
  for (int64_t i = 0; i < count; ++i) {
    there.ring();
    here.wait();
  }
  print_ns(path, count, 0, seconds() - start);
}
void ping_pong(int64_t count, int64_t) {
  wake_each_other("ping_pong", count, false);
}
void ping_pong_apart(int64_t count, int64_t) {
  wake_each_other("ping_pong_apart", count, true);
}

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

void ping_pong_spin(int64_t count, int64_t) {
  std::atomic<int64_t> turn{0};
  stay_on_core(0);
  std::jthread other([&] {
    stay_on_core(1);
    for (int64_t i = 0; i < count; ++i) {
      while (turn.load() != 2 * i + 1) relax();
      turn.store(2 * i + 2);
    }
  });
  const double start = seconds();
  for (int64_t i = 0; i < count; ++i) {
    turn.store(2 * i + 1);
    while (turn.load() != 2 * i + 2) relax();
  }
  print_ns("ping_pong_spin", count, 0, seconds() - start);
}

void process(int64_t count, int64_t at_once) {
  int64_t running = 0;
  auto wait_for_one = [&] {
    int status;
    if (wait(&status) < 0 || status != 0) std::abort();
    --running;
  };
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  const double start = seconds();
  for (int64_t i = 0; i < count; ++i) {
    if (running == at_once) wait_for_one();
    pid_t pid;
    if (posix_spawn(&pid, name, nullptr, nullptr, arguments, environ) != 0) {
      std::abort();
    }
    ++running;
  }
  while (running > 0) wait_for_one();
  print_ns("process", count, at_once, seconds() - start);
}

struct Path {
  std::string_view name;
  void (*measure)(int64_t count, int64_t size);
};
constexpr Path kPaths[] = {{"ping_pong", ping_pong},
                           {"ping_pong_apart", ping_pong_apart},
                           {"ping_pong_spin", ping_pong_spin},
                           {"process", process}};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  for (const Path& path : kPaths) {
    if (path.name != argv[1]) continue;
    path.measure(std::atoll(argv[2]), argc > 3 ? std::atoll(argv[3]) : 1);
    return 0;
  }
  return 2;
}
