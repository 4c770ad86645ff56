// Standalone asio: core_paths' coroutines, tasks, timers, queues and posts.
//
//   c++ -std=c++20 -O2 asio.cc -lpthread -o asio
//   asio PATH COUNT [SIZE]
//
// One thread and one io_context of concurrency 1; `post` takes two threads.

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "clock.h"

namespace {

using asio::awaitable;
using asio::co_spawn;
using asio::detached;
using asio::use_awaitable;
using std::chrono::nanoseconds;
using Timer = asio::steady_timer;

asio::io_context* context;

awaitable<int64_t> identity(int64_t value) { co_return value; }

awaitable<void> await_path(int64_t count) {
  int64_t sum = 0;
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) sum += co_await identity(i);
  print_ns("await", count, sum == 1, cpu_seconds() - start);
}

awaitable<void> spawn_await_path(int64_t count) {
  int64_t sum = 0;
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    sum += co_await co_spawn(*context, identity(i), use_awaitable);
  }
  print_ns("spawn_await", count, sum == 1, cpu_seconds() - start);
}

void spawn_many(int64_t count) {
  int64_t sum = 0;
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    co_spawn(*context, identity(i),
             [&](std::exception_ptr, int64_t value) { sum += value; });
  }
  context->run();
  print_ns("spawn_many", count, sum == 1, cpu_seconds() - start);
}

awaitable<void> yield_times(int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await asio::post(*context, use_awaitable);
  }
}
void yield(int64_t count, int64_t size) {
  const double start = cpu_seconds();
  for (int64_t i = 0; i < size; ++i) {
    co_spawn(*context, yield_times(count / size), detached);
  }
  context->run();
  print_ns("yield", count, size, cpu_seconds() - start);
}

awaitable<void> sleep_an_hour() {
  Timer timer(*context, std::chrono::hours(1));
  co_await timer.async_wait(use_awaitable);
}
void cancel(int64_t count) {
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  int64_t ended = 0;
  for (int64_t i = 0; i < count; ++i) {
    signals.push_back(std::make_unique<asio::cancellation_signal>());
    co_spawn(*context, sleep_an_hour(),
             asio::bind_cancellation_slot(
                 signals.back()->slot(), [&](std::exception_ptr) { ++ended; }));
  }
  context->poll();
  const double start = cpu_seconds();
  for (auto& signal : signals) {
    signal->emit(asio::cancellation_type::terminal);
  }
  context->run();
  print_ns("cancel", count, 0, cpu_seconds() - start);
  if (ended != count) std::exit(1);
}

int64_t resident() {
  long long pages = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%*d %lld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * 4096;
}
void memory(int64_t count) {
  const int64_t before = resident();
  for (int64_t i = 0; i < count; ++i) {
    co_spawn(*context, sleep_an_hour(), detached);
  }
  context->poll();
  std::printf(
      "memory %lld 0 bytes=%.1f\n", static_cast<long long>(count),
      static_cast<double>(resident() - before) / static_cast<double>(count));
  std::fflush(stdout);
  std::_Exit(0);
}

// A timer of asio fires at the earliest when it is waited for.
void arm(Timer& timer, nanoseconds delay) {
  timer.expires_after(delay);
  timer.async_wait([](const asio::error_code&) {});
}
std::vector<std::unique_ptr<Timer>> armed(int64_t n) {
  std::vector<std::unique_ptr<Timer>> timers;
  for (int64_t i = 0; i < n; ++i) {
    timers.push_back(std::make_unique<Timer>(*context));
    arm(*timers.back(), std::chrono::minutes(1) +
                            nanoseconds(random_below(60'000'000'000)));
  }
  return timers;
}
void timer(int64_t count, int64_t size) {
  auto others = armed(size);
  Timer extra(*context);
  int64_t delays[1024];
  for (int64_t& d : delays) d = random_below(60'000'000'000);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    arm(extra, nanoseconds(delays[i % 1024]));
    extra.cancel();
    // The cancelled wait's handler runs, as it does in a program.
    context->poll_one();
  }
  print_ns("timer", count, size, cpu_seconds() - start);
  std::fflush(stdout);
  std::_Exit(0);
}
void rearm(int64_t count, int64_t size) {
  auto timers = armed(size);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < count; ++i) {
    arm(*timers[static_cast<size_t>(random_below(size))],
        std::chrono::minutes(1));
    context->poll_one();
  }
  print_ns("rearm", count, size, cpu_seconds() - start);
  std::fflush(stdout);
  std::_Exit(0);
}

awaitable<void> sleep_and_note(int64_t delay, double& late) {
  const double due = wall_seconds() + static_cast<double>(delay) / 1e9;
  Timer timer(*context, nanoseconds(delay));
  co_await timer.async_wait(use_awaitable);
  late = wall_seconds() - due;
}
void sleepers(int64_t count) {
  std::vector<double> late(static_cast<size_t>(count));
  const double start = cpu_seconds();
  for (double& l : late) {
    co_spawn(*context, sleep_and_note(random_below(1'000'000'000), l),
             detached);
  }
  context->run();
  print_sleepers(count, cpu_seconds() - start, late.data());
}

// Its queue, its lock and its event are channels.
using Channel = asio::experimental::channel<void(asio::error_code, int64_t)>;

awaitable<void> produce(Channel& channel, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    co_await channel.async_send(asio::error_code(), i, use_awaitable);
  }
}
awaitable<void> consume(Channel& channel, int64_t count, int64_t& sum) {
  for (int64_t i = 0; i < count; ++i) {
    sum += co_await channel.async_receive(use_awaitable);
  }
}
void queue(int64_t count, int64_t size) {
  Channel channel(*context, static_cast<size_t>(size));
  int64_t sum = 0;
  const double start = cpu_seconds();
  co_spawn(*context, consume(channel, count, sum), detached);
  co_spawn(*context, produce(channel, count), detached);
  context->run();
  print_ns("queue", count, size, cpu_seconds() - start);
  if (sum != count * (count - 1) / 2) std::exit(1);
}

awaitable<void> hold_times(Channel& units, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await units.async_send(asio::error_code(), 0, use_awaitable);
    co_await asio::post(*context, use_awaitable);
    co_await units.async_receive(use_awaitable);
  }
}
void contend(const char* path, size_t units, int64_t count, int64_t size) {
  Channel channel(*context, units);
  const double start = cpu_seconds();
  for (int64_t i = 0; i < size; ++i) {
    co_spawn(*context, hold_times(channel, count / size), detached);
  }
  context->run();
  print_ns(path, count, size, cpu_seconds() - start);
}

awaitable<void> answer(Channel& left, Channel& right, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await left.async_receive(use_awaitable);
    co_await right.async_send(asio::error_code(), 0, use_awaitable);
  }
}
awaitable<void> serve(Channel& left, Channel& right, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await left.async_send(asio::error_code(), 0, use_awaitable);
    co_await right.async_receive(use_awaitable);
  }
}
void event(int64_t count) {
  Channel left(*context, 1), right(*context, 1);
  const double start = cpu_seconds();
  co_spawn(*context, answer(left, right, count / 2), detached);
  co_spawn(*context, serve(left, right, count / 2), detached);
  context->run();
  print_ns("event", count, 0, cpu_seconds() - start);
}

void post(int64_t count) {
  auto work = asio::make_work_guard(*context);
  int64_t left = count;
  const double start = wall_seconds();
  std::thread poster([&] {
    for (int64_t i = 0; i < count; ++i) {
      asio::post(*context, [&] {
        if (--left == 0) work.reset();
      });
    }
  });
  context->run();
  const double seconds = wall_seconds() - start;
  poster.join();
  print_ns("post", count, 0, seconds);
}

void ping_pong(int64_t count) {
  asio::io_context there(1);
  auto work = asio::make_work_guard(there);
  auto here = asio::make_work_guard(*context);
  std::thread thread([&] { there.run(); });
  int64_t left = count;
  std::function<void()> serve = [&] {
    asio::post(there, [&] {
      asio::post(*context, [&] {
        if (--left == 0) {
          here.reset();
        } else {
          serve();
        }
      });
    });
  };
  const double start = wall_seconds();
  serve();
  context->run();
  const double seconds = wall_seconds() - start;
  work.reset();
  thread.join();
  print_ns("ping_pong", count, 0, seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string path = argv[1];
  const int64_t count = std::atoll(argv[2]);
  const int64_t size = argc > 3 ? std::atoll(argv[3]) : 0;
  const bool threads = path == "post" || path == "ping_pong";
  // 1: a hint that one thread runs it.
  asio::io_context io(threads ? ASIO_CONCURRENCY_HINT_SAFE : 1);
  context = &io;
  if (path == "await") {
    co_spawn(io, await_path(count), detached);
    io.run();
  } else if (path == "spawn_await") {
    co_spawn(io, spawn_await_path(count), detached);
    io.run();
  } else if (path == "spawn_many") {
    spawn_many(count);
  } else if (path == "yield") {
    yield(count, size);
  } else if (path == "cancel") {
    cancel(count);
  } else if (path == "memory") {
    memory(count);
  } else if (path == "timer") {
    timer(count, size);
  } else if (path == "rearm") {
    rearm(count, size);
  } else if (path == "sleepers") {
    sleepers(count);
  } else if (path == "queue") {
    queue(count, size);
  } else if (path == "lock_contended") {
    contend("lock_contended", 1, count, size);
  } else if (path == "semaphore_contended") {
    contend("semaphore_contended", 10, count, size);
  } else if (path == "event") {
    event(count);
  } else if (path == "post") {
    post(count);
  } else if (path == "ping_pong") {
    ping_pong(count);
  } else {
    return 2;
  }
  return 0;
}
