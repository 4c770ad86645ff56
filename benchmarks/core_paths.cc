// The library's core paths, one a run: for a profiler, for counts of
// instructions and for comparison with the programs in peers/, which take the
// same arguments.
//
//   bazel run -c opt //benchmarks:core_paths -- PATH COUNT [SIZE]
//
// Prints a line: `PATH COUNT SIZE ns=12.3`, the time of one operation: of the
// processor's, which others who use it disturb less, but for paths with two
// threads or processes. `memory` prints bytes=, `sleepers` cpu_s= (all the work's) and
// late_p99_ms=. Without arguments it lists the paths; `compiler` prints what it
// was built with. benchmarks/instructions counts instructions with it,
// benchmarks/peers/run compares.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <gnu/libc-version.h>
#include <memory>
#include <optional>
#include <sched.h>
#include <string_view>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/benchmarks/measurement.h"
#include "asyncio/benchmarks/stream_paths.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/subprocess/process.h"
#include "asyncio/sync/channel.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/future.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/timers/timer_wheel.h"

namespace asyncio {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""us;

class Random {
 public:
  int64_t below(int64_t end) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<int64_t>(state_ % static_cast<uint64_t>(end));
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

constexpr int64_t kSecond = 1'000'000'000;

Coroutine<int64_t> identity(int64_t value) { co_return value; }

// --- Coroutines and tasks.

Coroutine<> await_path(Measurement& m) {
  int64_t sum = 0;
  m.start();
  for (int64_t i = 0; i < m.count; ++i) sum += co_await identity(i);
  m.stop();
  use(sum);
}

Coroutine<> spawn_await_path(Measurement& m) {
  int64_t sum = 0;
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    Task<int64_t> task = create_task(identity(i));
    sum += co_await task;
  }
  m.stop();
  use(sum);
}

Coroutine<> spawn_many_path(Measurement& m) {
  int64_t sum = 0;
  std::vector<Task<int64_t>> tasks;
  tasks.reserve(static_cast<size_t>(m.count));
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    tasks.push_back(create_task(identity(i)));
  }
  for (auto& task : tasks) sum += co_await task;
  m.stop();
  use(sum);
}

Coroutine<> yield_times(int64_t times) {
  for (int64_t i = 0; i < times; ++i) co_await sleep(0s);
}
// `size` tasks; an operation is one sleep(0) of one.
Coroutine<> yield_path(Measurement& m) {
  std::vector<Task<>> tasks;
  for (int64_t i = 0; i < m.size; ++i) {
    tasks.push_back(create_task(yield_times(m.count / m.size)));
  }
  m.start();
  for (auto& task : tasks) co_await task;
  m.stop();
}

// Two tasks; each sets the future that the other awaits and makes its next. An
// operation is one future made, set and awaited.
struct Court {
  Future<int64_t> left = create_future<int64_t>();
  Future<int64_t> right = create_future<int64_t>();
};
Coroutine<> answer(Court& court, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    const int64_t ball = co_await court.left;
    court.left = create_future<int64_t>();
    court.right.set_result(ball);
  }
}
Coroutine<> future_path(Measurement& m) {
  Court court;
  int64_t sum = 0;
  Task<> other = create_task(answer(court, m.count / 2));
  m.start();
  for (int64_t i = 0; i < m.count / 2; ++i) {
    court.left.set_result(i);
    sum += co_await court.right;
    court.right = create_future<int64_t>();
  }
  co_await other;
  m.stop();
  use(sum);
}

Coroutine<> sleep_an_hour() { co_await sleep(1h); }

std::vector<Task<>> start_sleepers(int64_t n) {
  std::vector<Task<>> tasks;
  tasks.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) tasks.push_back(create_task(sleep_an_hour()));
  return tasks;
}

// Sleeping tasks, from their cancel() until each has ended.
// Cancels all until each has ended.
Coroutine<> cancel_all(std::vector<Task<>> tasks, Measurement& m) {
  co_await sleep(0s);
  m.start();
  for (auto& task : tasks) task.cancel();
  for (auto& task : tasks) {
    Result<> ended = co_await as_result(task);
    use(ended.cancelled());
  }
  m.stop();
}
Coroutine<> cancel_path(Measurement& m) {
  co_await cancel_all(start_sleepers(m.count), m);
}
// The same of tasks that sleep below `size` awaits.
Coroutine<> sleep_below(int64_t awaits) {
  if (awaits == 0) {
    co_await sleep(1h);
  } else {
    co_await sleep_below(awaits - 1);
  }
}
Coroutine<> cancel_chain_path(Measurement& m) {
  std::vector<Task<>> tasks;
  for (int64_t i = 0; i < m.count; ++i) {
    tasks.push_back(create_task(sleep_below(m.size)));
  }
  co_await cancel_all(std::move(tasks), m);
}

// What the language takes for one of them.
Coroutine<> throw_path(Measurement& m) {
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    try {
      throw CancelledError();
    } catch (const CancelledError& error) {
      use(static_cast<int64_t>(error.message().size()));
    }
  }
  m.stop();
  co_return;
}

// What is resident, in bytes.
int64_t resident() {
  long long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %lld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}
// Of a sleeping task: the task, its frame, its timer; without the handle.
Coroutine<> memory_path(Measurement& m) {
  const int64_t before = resident();
  std::vector<Task<>> tasks = start_sleepers(m.count);
  co_await sleep(0s);
  const int64_t handles =
      static_cast<int64_t>(tasks.capacity() * sizeof(Task<>));
  m.set_memory(static_cast<double>(resident() - before - handles) /
               static_cast<double>(m.count));
  for (auto& task : tasks) task.cancel();
}

// --- Timers. `size` others are armed, at random within a minute, after a minute.

class ArmedWheel {
 public:
  explicit ArmedWheel(int64_t n) : nodes_(static_cast<size_t>(n)) {
    for (TimerNode& node : nodes_) {
      wheel_.schedule(node, TimePoint::from_nanoseconds(
                                60 * kSecond + random_.below(60 * kSecond)));
    }
  }
  TimerWheel& wheel() { return wheel_; }
  TimerNode& any() {
    return nodes_[static_cast<size_t>(
        random_.below(static_cast<int64_t>(nodes_.size())))];
  }

 private:
  Random random_;
  std::vector<TimerNode> nodes_;
  TimerWheel wheel_;
};

// As many as the peers have, a power of two, so that going round costs nothing.
class RandomDeadlines {
 public:
  RandomDeadlines() {
    Random random;
    for (int64_t& d : deadlines_) d = random.below(60 * kSecond);
  }
  int64_t operator[](int64_t i) const {
    return deadlines_[static_cast<size_t>(i) % deadlines_.size()];
  }

 private:
  std::array<int64_t, 1024> deadlines_;
};

// The wheel alone: one node more is scheduled and cancelled. It is due before the
// others, as the timeout of a request is before those of idle connections.
Coroutine<> timer_path(Measurement& m) {
  ArmedWheel armed(m.size);
  TimerNode node;
  const auto deadlines = std::make_unique<RandomDeadlines>();
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    armed.wheel().schedule(node,
                           TimePoint::from_nanoseconds((*deadlines)[i]));
    TimerWheel::cancel(node);
  }
  m.stop();
  co_return;
}

// The wheel alone: idle timeouts of 60 s; data comes on a random one each 100
// ns.
Coroutine<> rearm_path(Measurement& m) {
  ArmedWheel armed(m.size);
  int64_t now = 0;
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    now += 100;
    armed.wheel().schedule(armed.any(),
                           TimePoint::from_nanoseconds(now + 60 * kSecond));
  }
  m.stop();
  co_return;
}

// The same as `timer` by the loop: call_later() and TimerHandle::cancel(), the
// clock read and the callback's memory included.
Coroutine<> call_later_path(Measurement& m) {
  EventLoop& loop = get_running_loop();
  Random random;
  std::vector<TimerHandle> armed;
  armed.reserve(static_cast<size_t>(m.size));
  for (int64_t i = 0; i < m.size; ++i) {
    armed.push_back(loop.call_later(
        Duration::nanoseconds(kSecond * 3600 + random.below(60 * kSecond)),
        [] {}));
  }
  const auto delays = std::make_unique<RandomDeadlines>();
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    TimerHandle handle = loop.call_later(
        Duration::nanoseconds((*delays)[i]), [] {});
    handle.cancel();
  }
  m.stop();
  for (TimerHandle& handle : armed) handle.cancel();
  co_return;
}

Coroutine<> sleep_and_note(EventLoop& loop, int64_t delay, int64_t& late) {
  const TimePoint due = loop.time() + Duration::nanoseconds(delay);
  co_await sleep(Duration::nanoseconds(delay));
  late = (loop.time() - due).count();
}
// Tasks that each sleep for a random part of a second, all started at once.
// Late is what passes from when a sleep is over to the next line of its task.
Coroutine<> sleepers_path(Measurement& m) {
  EventLoop& loop = get_running_loop();
  Random random;
  std::vector<int64_t> late(static_cast<size_t>(m.count));
  std::vector<Task<>> tasks;
  tasks.reserve(late.size());
  m.start();
  for (int64_t& l : late) {
    tasks.push_back(
        create_task(sleep_and_note(loop, random.below(kSecond), l)));
  }
  for (auto& task : tasks) co_await task;
  m.stop();
  auto p99 = late.begin() + static_cast<int64_t>(late.size()) * 99 / 100;
  std::nth_element(late.begin(), p99, late.end());
  m.set_lateness(static_cast<double>(*p99) / 1e9);
}

// --- Synchronization. An operation is one acquire() and its release().

Coroutine<> lock_path(Measurement& m) {
  Lock lock;
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    co_await lock.acquire();
    lock.release();
  }
  m.stop();
}

Coroutine<> semaphore_path(Measurement& m) {
  Semaphore semaphore(1);
  m.start();
  for (int64_t i = 0; i < m.count; ++i) {
    co_await semaphore.acquire();
    semaphore.release();
  }
  m.stop();
}

template <class M>
Coroutine<> acquire_times(M& mutex, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await mutex.acquire();
    co_await sleep(0s);
    mutex.release();
  }
}
// `size` tasks; each holds it over a sleep(0).
template <class M>
Coroutine<> contend(M& mutex, Measurement& m) {
  std::vector<Task<>> tasks;
  for (int64_t i = 0; i < m.size; ++i) {
    tasks.push_back(create_task(acquire_times(mutex, m.count / m.size)));
  }
  m.start();
  for (auto& task : tasks) co_await task;
  m.stop();
}
Coroutine<> lock_contended_path(Measurement& m) {
  Lock lock;
  co_await contend(lock, m);
}
Coroutine<> semaphore_contended_path(Measurement& m) {
  Semaphore semaphore(10);
  co_await contend(semaphore, m);
}

// Two tasks that wake each other; an operation is one set() and its wait().
struct Events {
  Event left;
  Event right;
};
Coroutine<> answer_event(Events& events, int64_t times) {
  for (int64_t i = 0; i < times; ++i) {
    co_await events.left.wait();
    events.left.clear();
    events.right.set();
  }
}
Coroutine<> event_path(Measurement& m) {
  Events events;
  Task<> other = create_task(answer_event(events, m.count / 2));
  m.start();
  for (int64_t i = 0; i < m.count / 2; ++i) {
    events.left.set();
    co_await events.right.wait();
    events.right.clear();
  }
  co_await other;
  m.stop();
}

// `size` tasks wait for one event, over and over; an operation is one of them
// woken, and back in the wait.
Coroutine<> wait_times(Event& event, int64_t times) {
  for (int64_t i = 0; i < times; ++i) co_await event.wait();
}
Coroutine<> waiters_path(Measurement& m) {
  Event event;
  const int64_t rounds = m.count / m.size;
  std::vector<Task<>> tasks;
  for (int64_t i = 0; i < m.size; ++i) {
    tasks.push_back(create_task(wait_times(event, rounds)));
  }
  co_await sleep(0s);
  m.start();
  for (int64_t i = 0; i < rounds; ++i) {
    event.set();
    event.clear();
    co_await sleep(0s);
  }
  m.stop();
  for (auto& task : tasks) co_await task;
}

// A queue with room for `size`; an operation is one put() and its get().
Coroutine<> produce(Queue<int64_t>& queue, int64_t count) {
  for (int64_t i = 0; i < count; ++i) co_await queue.put(i);
}
Coroutine<> queue_path(Measurement& m) {
  Queue<int64_t> queue(m.size);
  int64_t sum = 0;
  Task<> producer = create_task(produce(queue, m.count));
  m.start();
  for (int64_t i = 0; i < m.count; ++i) sum += co_await queue.get();
  m.stop();
  use(sum);
  co_await producer;
}

// A queue that always holds `size` items: one is taken and put back.
Coroutine<> queue_items_path(Measurement& m) {
  Queue<int64_t> queue;
  for (int64_t i = 0; i < m.size; ++i) queue.put_nowait(i);
  m.start();
  for (int64_t i = 0; i < m.count; ++i) queue.put_nowait(queue.get_nowait());
  m.stop();
  co_return;
}

// --- Between threads.

// Another thread posts them all; until the last has run.
Coroutine<> post_path(Measurement& m) {
  EventLoop& loop = get_running_loop();
  Future<> all = create_future<>();
  int64_t left = m.count;
  auto arrived = [&] {
    if (--left == 0) all.set_result();
  };
  m.start(CLOCK_MONOTONIC);
  std::jthread poster([&] {
    for (int64_t i = 0; i < m.count; ++i) loop.call_soon_threadsafe(arrived);
  });
  co_await all;
  m.stop();
}

// A channel with room for `size`, from a loop in another thread; an operation is
// one send() and its recv().
Coroutine<> send_all(ChannelSender<int64_t> sender, int64_t count) {
  for (int64_t i = 0; i < count; ++i) co_await sender.send(i);
}
Coroutine<> channel_path(Measurement& m) {
  auto [sender, receiver] = Channel<int64_t>(static_cast<size_t>(m.size));
  int64_t sum = 0;
  m.start(CLOCK_MONOTONIC);
  std::jthread thread([&m, sender = std::move(sender)]() mutable {
    run(send_all(std::move(sender), m.count));
  });
  for (int64_t i = 0; i < m.count; ++i) {
    const std::optional<int64_t> item = co_await receiver.recv();
    sum += *item;
  }
  m.stop();
  use(sum);
}

// Two loops in two threads; an operation is there and back.
struct Rally {
  EventLoop* here;
  EventLoop* there;
  int64_t left;
  std::function<void()> over;
  void serve() {
    there->call_soon_threadsafe([this] { there_return(); });
  }
  void there_return() {
    here->call_soon_threadsafe([this] {
      if (--left == 0) {
        over();
      } else {
        serve();
      }
    });
  }
};
Coroutine<> ping_pong_path(Measurement& m) {
  std::unique_ptr<EventLoop> there = new_event_loop();
  std::jthread thread([&] { there->run_forever(); });
  Future<> over = create_future<>();
  Rally rally{&get_running_loop(), there.get(), m.count,
              [&] { over.set_result(); }};
  m.start(CLOCK_MONOTONIC);
  rally.serve();
  co_await over;
  m.stop();
  there->call_soon_threadsafe([&] { there->stop(); });
  thread.join();
}

// This thread to one core. Two that spin on the same one hand over by the
// scheduler.
void stay_on_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

// The same with loops that look for a while before they sleep, each on its own
// core.
Coroutine<> ping_pong_spin_path(Measurement& m) {
  std::jthread player([&] {
    stay_on_core(0);
    auto here = new_event_loop({.spin = 100us});
    auto there = new_event_loop({.spin = 100us});
    std::jthread thread([&] {
      stay_on_core(1);
      there->run_forever();
    });
    Rally rally{here.get(), there.get(), m.count, [&] { here->stop(); }};
    m.start(CLOCK_MONOTONIC);
    rally.serve();
    here->run_forever();
    m.stop();
    there->call_soon_threadsafe([&] { there->stop(); });
  });
  player.join();
  co_return;
}

// --- Processes. /bin/true is started and waited for, `size` at a time.

Coroutine<> run_children(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    Process process = co_await create_subprocess_exec("/bin/true");
    const int code = co_await process.wait();
    if (code != 0) std::abort();
  }
}
Coroutine<> process_path(Measurement& m) {
  std::vector<Coroutine<>> workers;
  for (int64_t i = 0; i < m.size; ++i) {
    workers.push_back(run_children(m.count / m.size));
  }
  m.start(CLOCK_MONOTONIC);
  co_await gather(std::move(workers));
  m.stop();
}

struct Path {
  std::string_view name;
  Coroutine<> (*measure)(Measurement&);
  int64_t size;  // unless given
};

constexpr Path kPaths[] = {
    {"await", await_path, 0},
    {"spawn_await", spawn_await_path, 0},
    {"spawn_many", spawn_many_path, 0},
    {"yield", yield_path, 1000},
    {"future", future_path, 0},
    {"cancel", cancel_path, 0},
    {"cancel_chain", cancel_chain_path, 16},
    {"throw", throw_path, 0},
    {"memory", memory_path, 0},
    {"timer", timer_path, 1000},
    {"rearm", rearm_path, 100'000},
    {"call_later", call_later_path, 1000},
    {"sleepers", sleepers_path, 0},
    {"lock", lock_path, 0},
    {"lock_contended", lock_contended_path, 1000},
    {"semaphore", semaphore_path, 0},
    {"semaphore_contended", semaphore_contended_path, 1000},
    {"event", event_path, 0},
    {"waiters", waiters_path, 1000},
    {"queue", queue_path, 1},
    {"queue_items", queue_items_path, 1000},
    {"echo", echo_path, 64},
    {"lines", lines_path, 256},
    {"frames", frames_path, 256},
    {"parts", parts_path, 64},
    {"post", post_path, 0},
    {"channel", channel_path, 64},
    {"ping_pong", ping_pong_path, 0},
    {"ping_pong_spin", ping_pong_spin_path, 0},
    {"process", process_path, 1},
};

int usage() {
  std::fprintf(stderr, "usage: core_paths PATH COUNT [SIZE]\npaths:");
  for (const Path& path : kPaths) {
    std::fprintf(stderr, " %s", path.name.data());
  }
  std::fprintf(stderr, "\n");
  return 2;
}

// All on which counts of instructions depend besides the code.
int print_compiler() {
#ifdef __clang__
  std::printf("clang %d.%d.%d", __clang_major__, __clang_minor__,
              __clang_patchlevel__);
#else
  std::printf("g++ %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  std::printf(", libstdc++ %ld, glibc %s\n", static_cast<long>(__GLIBCXX__),
              gnu_get_libc_version());
  return 0;
}

int measure(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "compiler") {
    return print_compiler();
  }
  if (argc < 3 || argc > 4) return usage();
  for (const Path& path : kPaths) {
    if (path.name != argv[1]) continue;
    const int64_t count = std::atoll(argv[2]);
    const int64_t size = argc == 4 ? std::atoll(argv[3]) : path.size;
    if (count <= 0 || size < 0) return usage();
    Measurement measurement(count, size);
    run(path.measure(measurement));
    measurement.print(path.name);
    return 0;
  }
  return usage();
}

}  // namespace
}  // namespace asyncio

int main(int argc, char** argv) { return asyncio::measure(argc, argv); }
