// The wheel beside a binary heap with lazy deletion and a std::multimap: the
// same work, with 1k to 10M timers armed.
//
//   bazel run -c opt //benchmarks/timers:timer_wheel_benchmark

#include "asyncio/timers/timer_wheel.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "benchmark/benchmark.h"

#include "asyncio/base/time.h"

namespace asyncio {
namespace {

class Random {
 public:
  uint64_t operator()() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

constexpr int64_t kSecond = 1'000'000'000;

// Each queue holds timers 0 .. n - 1 and gives the same operations.
class Wheel {
 public:
  explicit Wheel(size_t n) : nodes_(n) {}
  void schedule(size_t i, int64_t deadline) {
    wheel_.schedule(nodes_[i], TimePoint::from_nanoseconds(deadline));
  }
  void cancel(size_t i) { wheel_.cancel(nodes_[i]); }
  template <class F>
  void advance(int64_t now, F&& fire) {
    wheel_.advance(TimePoint::from_nanoseconds(now), [&](TimerNode& node) {
      fire(static_cast<size_t>(&node - nodes_.data()));
    });
  }

 private:
  std::vector<TimerNode> nodes_;
  TimerWheel wheel_;
};

// What is cancelled stays in the heap until it comes up, unless that is more
// than half of it: then the heap is rebuilt, as asyncio's loop in Python does.
class LazyHeap {
 public:
  explicit LazyHeap(size_t n) : versions_(n) {}
  void schedule(size_t i, int64_t deadline) {
    if (versions_[i] % 2 != 0) cancel(i);
    heap_.push_back({deadline, sequence_++, i, ++versions_[i]});
    std::push_heap(heap_.begin(), heap_.end(), Later());
  }
  void cancel(size_t i) {
    ++versions_[i];  // even: unarmed
    if (++stale_ * 2 > heap_.size() && stale_ > 100) {
      std::erase_if(heap_, [&](const Entry& e) { return is_stale(e); });
      std::make_heap(heap_.begin(), heap_.end(), Later());
      stale_ = 0;
    }
  }
  template <class F>
  void advance(int64_t now, F&& fire) {
    while (!heap_.empty() && heap_.front().deadline <= now) {
      const Entry first = heap_.front();
      drop_first();
      if (is_stale(first)) {
        --stale_;
      } else {
        ++versions_[first.timer];
        fire(first.timer);
      }
    }
  }

 private:
  struct Entry {
    int64_t deadline;
    uint64_t sequence;
    size_t timer;
    uint64_t version;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.deadline != b.deadline ? a.deadline > b.deadline
                                      : a.sequence > b.sequence;
    }
  };
  bool is_stale(const Entry& e) const {
    return versions_[e.timer] != e.version;
  }
  void drop_first() {
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    heap_.pop_back();
  }

  std::vector<uint64_t> versions_;
  std::vector<Entry> heap_;
  uint64_t sequence_ = 0;
  size_t stale_ = 0;
};

class Multimap {
 public:
  explicit Multimap(size_t n) : places_(n, map_.end()) {}
  void schedule(size_t i, int64_t deadline) {
    if (places_[i] != map_.end()) map_.erase(places_[i]);
    places_[i] = map_.emplace(deadline, i);
  }
  void cancel(size_t i) {
    if (places_[i] != map_.end()) map_.erase(places_[i]);
    places_[i] = map_.end();
  }
  template <class F>
  void advance(int64_t now, F&& fire) {
    while (!map_.empty() && map_.begin()->first <= now) {
      const size_t i = map_.begin()->second;
      cancel(i);
      fire(i);
    }
  }

 private:
  std::multimap<int64_t, size_t> map_;
  std::vector<std::multimap<int64_t, size_t>::iterator> places_;
};

// Operations an iteration.
constexpr size_t kBatch = 1000;

std::vector<int64_t> random_below(int64_t end) {
  Random random;
  std::vector<int64_t> all(kBatch);
  for (int64_t& x : all) {
    x = static_cast<int64_t>(random() % static_cast<uint64_t>(end));
  }
  return all;
}

// What is measured is in functions of its own, so that a profiler can count
// their instructions apart from what is made ready:
//
//   valgrind --tool=callgrind --toggle-collect='*schedule_and_cancel*' ...
template <class Queue>
[[gnu::noinline]] void schedule_and_cancel(
    Queue& queue, size_t timer, const std::vector<int64_t>& deadlines) {
  for (int64_t deadline : deadlines) {
    queue.schedule(timer, deadline);
    queue.cancel(timer);
  }
}

// One timer more than those that are armed, at random within a minute, comes
// and goes.
template <class Queue>
void BM_ScheduleAndCancel(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  Queue queue(n + 1);
  Random random;
  for (size_t i = 0; i < n; ++i) {
    queue.schedule(i, static_cast<int64_t>(random() % (60 * kSecond)));
  }
  const std::vector<int64_t> deadlines = random_below(60 * kSecond);
  for (auto _ : state) schedule_and_cancel(queue, n, deadlines);
  state.SetItemsProcessed(state.iterations() * kBatch);
}

template <class Queue>
[[gnu::noinline]] void rearm(Queue& queue, const std::vector<size_t>& timers,
                             int64_t& now) {
  for (size_t timer : timers) {
    now += 1000;
    queue.schedule(timer, now + 30 * kSecond);
  }
}

// Idle timeouts of 30 s, one a connection; data comes on a random one each
// microsecond. None runs out.
template <class Queue>
void BM_Rearm(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  Queue queue(n);
  Random random;
  int64_t now = 0;
  for (size_t i = 0; i < n; ++i) {
    queue.schedule(i, 30 * kSecond + static_cast<int64_t>(i));
  }
  std::vector<size_t> timers(kBatch);
  for (auto _ : state) {
    state.PauseTiming();
    for (size_t& timer : timers) timer = random() % n;
    state.ResumeTiming();
    rearm(queue, timers, now);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}

// Until a thousand or more have fired.
template <class Queue>
[[gnu::noinline]] size_t fire(Queue& queue, int64_t step,
                              const std::vector<int64_t>& delays,
                              int64_t& now) {
  size_t fired = 0;
  while (fired < kBatch) {
    now += step;
    queue.advance(now, [&](size_t timer) {
      queue.schedule(timer, now + 1 + delays[fired++ % kBatch]);
    });
  }
  return fired;
}

// Each timer that fires is set again at random within a second; the clock goes
// by steps of state.range(1) ns. An item is a timer that fired.
template <class Queue>
void BM_Fire(benchmark::State& state) {
  const auto n = static_cast<size_t>(state.range(0));
  Queue queue(n);
  Random random;
  int64_t now = 0;
  for (size_t i = 0; i < n; ++i) {
    queue.schedule(i, static_cast<int64_t>(random() % kSecond));
  }
  const std::vector<int64_t> delays = random_below(kSecond);
  size_t fired = 0;
  for (auto _ : state) fired += fire(queue, state.range(1), delays, now);
  state.SetItemsProcessed(static_cast<int64_t>(fired));
}

void sizes(benchmark::internal::Benchmark* b) {
  for (int64_t n : {1'000, 10'000, 100'000, 1'000'000, 10'000'000}) b->Arg(n);
}
void sizes_and_steps(benchmark::internal::Benchmark* b) {
  for (int64_t n : {1'000, 10'000, 100'000, 1'000'000, 10'000'000}) {
    for (int64_t step : {1'000, 30'000, 1'000'000}) b->Args({n, step});
  }
}

BENCHMARK(BM_ScheduleAndCancel<Wheel>)->Apply(sizes);
BENCHMARK(BM_ScheduleAndCancel<LazyHeap>)->Apply(sizes);
BENCHMARK(BM_ScheduleAndCancel<Multimap>)->Apply(sizes);
BENCHMARK(BM_Rearm<Wheel>)->Apply(sizes);
BENCHMARK(BM_Rearm<LazyHeap>)->Apply(sizes);
BENCHMARK(BM_Rearm<Multimap>)->Apply(sizes);
BENCHMARK(BM_Fire<Wheel>)->Apply(sizes_and_steps);
BENCHMARK(BM_Fire<LazyHeap>)->Apply(sizes_and_steps);
BENCHMARK(BM_Fire<Multimap>)->Apply(sizes_and_steps);

}  // namespace
}  // namespace asyncio
