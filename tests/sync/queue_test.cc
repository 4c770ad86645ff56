#include "asyncio/sync/queue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

template <class Q>
std::string drain(Q& queue) {
  std::string all;
  while (!queue.empty()) all += queue.get_nowait();
  return all;
}

ASYNCIO_TEST(QueueTest, GivesTheOldestFirst) {
  Queue<char> queue;
  for (char c : {'b', 'a', 'c'}) co_await queue.put(c);
  EXPECT_EQ(queue.qsize(), 3u);
  EXPECT_EQ(drain(queue), "bac");
}

ASYNCIO_TEST(QueueTest, LifoGivesTheLatestFirst) {
  LifoQueue<char> queue;
  for (char c : {'b', 'a', 'c'}) co_await queue.put(c);
  EXPECT_EQ(drain(queue), "cab");
}

ASYNCIO_TEST(QueueTest, PriorityGivesTheSmallestFirst) {
  PriorityQueue<char> queue;
  for (char c : {'b', 'd', 'a', 'c'}) co_await queue.put(c);
  EXPECT_EQ(drain(queue), "abcd");
  PriorityQueue<char, std::greater<char>> largest;
  for (char c : {'b', 'd', 'a', 'c'}) largest.put_nowait(c);
  EXPECT_EQ(drain(largest), "dcba");
}

ASYNCIO_TEST(QueueTest, KnowsItsSize) {
  Queue<int> queue(2);
  EXPECT_EQ(queue.maxsize(), 2);
  EXPECT_TRUE(queue.empty());
  EXPECT_THROW(queue.get_nowait(), QueueEmpty);
  queue.put_nowait(1);
  queue.put_nowait(2);
  EXPECT_TRUE(queue.full());
  EXPECT_THROW(queue.put_nowait(3), QueueFull);
  EXPECT_FALSE(Queue<int>().full());
  EXPECT_FALSE(Queue<int>(-1).full());
  co_return;
}

ASYNCIO_TEST(QueueTest, GetWaitsForAnItem) {
  Queue<int> queue;
  auto getter = create_task(queue.get());
  co_await turns(2);
  EXPECT_FALSE(getter.done());
  queue.put_nowait(5);
  EXPECT_EQ(queue.qsize(), 1u);  // taken when the getter runs
  EXPECT_EQ(co_await getter, 5);
}

ASYNCIO_TEST(QueueTest, PutWaitsForRoom) {
  Queue<int> queue(1);
  queue.put_nowait(1);
  auto putter = create_task(queue.put(2));
  co_await turns(2);
  EXPECT_FALSE(putter.done());
  EXPECT_EQ(queue.get_nowait(), 1);
  EXPECT_TRUE(queue.empty());
  co_await putter;
  EXPECT_EQ(queue.get_nowait(), 2);
}

ASYNCIO_TEST(QueueTest, MoveOnlyItems) {
  Queue<std::unique_ptr<int>> queue(1);
  co_await queue.put(std::make_unique<int>(1));
  auto putter = create_task(queue.put(std::make_unique<int>(2)));
  co_await turns();
  std::unique_ptr<int> first = co_await queue.get();
  std::unique_ptr<int> second = co_await queue.get();
  EXPECT_EQ(*first + *second, 3);
  co_await putter;
}

ASYNCIO_TEST(QueueTest, EmplaceMakesTheItemFromCopies) {
  Queue<std::pair<std::string, int>> queue;
  std::string text = "some text that is long enough to be allocated";
  auto put = queue.emplace(text, 1);
  text = "";
  co_await put;
  auto item = co_await queue.get();
  EXPECT_EQ(item.first, "some text that is long enough to be allocated");
}

ASYNCIO_TEST(QueueTest, StolenItemSendsTheWokenGetterToTheEnd) {
  Queue<int> queue;
  std::string log;
  auto getter = [&](std::string name) -> Coroutine<> {
    const int item = co_await queue.get();
    log += name + std::to_string(item) + " ";
  };
  auto a = create_task(getter("a"));
  auto b = create_task(getter("b"));
  co_await turns();
  queue.put_nowait(1);
  EXPECT_EQ(queue.get_nowait(), 1);
  co_await turns(3);
  EXPECT_FALSE(a.done());
  queue.put_nowait(2);
  queue.put_nowait(3);
  co_await a;
  co_await b;
  EXPECT_EQ(log, "b2 a3 ");
}

ASYNCIO_TEST(QueueTest, GetterThatWaitsAgainCanBeCancelled) {
  Queue<int> queue;
  auto getter = create_task(queue.get());
  co_await turns();
  queue.put_nowait(1);
  queue.get_nowait();
  co_await turns(2);
  const std::vector<FrameSummary> stack = getter.get_stack();
  CO_ASSERT_EQ(stack.size(), 1u);
  // In a coroutine of the library's, not in the one that awaits get().
  EXPECT_THAT(stack[0].function, ::testing::Not(::testing::HasSubstr("Get")));
  getter.cancel();
  EXPECT_EQ(co_await ending(getter), "CancelledError");
  queue.put_nowait(2);
  EXPECT_EQ(co_await queue.get(), 2);
}

ASYNCIO_TEST(QueueTest, CancelledGettersLoseNothing) {
  Queue<int> queue;
  auto before = create_task(queue.get());
  before.cancel();
  auto meanwhile = create_task(queue.get());
  auto woken = create_task(queue.get());
  auto other = create_task(queue.get());
  co_await turns();
  meanwhile.cancel();
  queue.put_nowait(1);
  woken.cancel();
  co_await turns(3);
  EXPECT_TRUE(before.cancelled());
  EXPECT_TRUE(meanwhile.cancelled());
  EXPECT_TRUE(woken.cancelled());
  EXPECT_EQ(co_await other, 1);
}

ASYNCIO_TEST(QueueTest, CancelledPuttersPassTheRoomOn) {
  Queue<int> queue(1);
  queue.put_nowait(0);
  auto meanwhile = create_task(queue.put(1));
  auto woken = create_task(queue.put(2));
  auto other = create_task(queue.put(3));
  co_await turns();
  meanwhile.cancel();
  queue.get_nowait();
  woken.cancel();
  co_await other;
  EXPECT_TRUE(meanwhile.cancelled());
  EXPECT_TRUE(woken.cancelled());
  EXPECT_EQ(queue.get_nowait(), 3);
}

ASYNCIO_TEST(QueueTest, JoinWaitsForEveryTaskToBeDone) {
  Queue<int> queue;
  co_await queue.join();
  queue.put_nowait(1);
  queue.put_nowait(2);
  auto join = create_task(queue.join());
  co_await queue.get();
  queue.task_done();
  co_await turns(2);
  EXPECT_FALSE(join.done());
  co_await queue.get();
  queue.task_done();
  co_await join;
  EXPECT_THAT(
      [&] { queue.task_done(); },
      testing::ThrowsMessage<ValueError>("task_done() called too many times"));
}

ASYNCIO_TEST(QueueTest, ShutdownDrainsThenThrows) {
  Queue<int> queue(2);
  queue.put_nowait(1);
  queue.put_nowait(2);
  auto putter = create_task(queue.put(3));
  co_await turns();
  queue.shutdown();
  queue.shutdown();
  EXPECT_EQ(co_await ending(putter), "QueueShutDown");
  EXPECT_THROW(queue.put_nowait(3), QueueShutDown);
  EXPECT_EQ(co_await queue.get(), 1);
  EXPECT_EQ(queue.get_nowait(), 2);
  EXPECT_EQ(co_await ending(queue.get()), "QueueShutDown");
  EXPECT_THROW(queue.get_nowait(), QueueShutDown);
}

ASYNCIO_TEST(QueueTest, ShutdownWakesGetters) {
  Queue<int> queue;
  auto a = create_task(queue.get());
  auto b = create_task(queue.get());
  co_await turns();
  queue.shutdown();
  EXPECT_EQ(co_await ending(a), "QueueShutDown");
  EXPECT_EQ(co_await ending(b), "QueueShutDown");
}

// Probe 9 of the semantics: what was taken must still be done.
ASYNCIO_TEST(QueueTest, ImmediateShutdownDoesNotFinishWhatWasTaken) {
  Queue<int> queue;
  queue.put_nowait(1);
  queue.put_nowait(2);
  co_await queue.get();
  queue.shutdown({.immediate = true});
  EXPECT_TRUE(queue.empty());
  auto join = create_task(queue.join());
  co_await turns(2);
  EXPECT_FALSE(join.done());
  queue.task_done();
  co_await join;
}

ASYNCIO_TEST(QueueTest, DestroyedWithWaitersLetsGoOfThem) {
  auto queue = std::make_unique<Queue<int>>(1);
  auto woken = create_task(queue->get());
  auto late = create_task(queue->get());
  auto getter = create_task(queue->get());
  co_await turns();
  queue->put_nowait(1);
  auto putter = create_task(queue->put(2), {.eager_start = true});
  auto join = create_task(queue->join(), {.eager_start = true});
  late.cancel();
  queue.reset();
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
  EXPECT_EQ(co_await ending(late), "CancelledError");
  EXPECT_FALSE(getter.done());
  getter.cancel();
  putter.cancel();
  join.cancel();
  EXPECT_EQ(co_await ending(getter), "CancelledError");
  co_await turns(2);
}

TEST(QueueLoopTest, TasksLeftOverByRunMayOutliveIt) {
  Task<int> left;
  run([&]() -> Coroutine<> {
    Queue<int> queue;
    left = create_task(queue.get());
    co_await turns();
  });
  EXPECT_TRUE(left.cancelled());
}

TEST(QueueLoopTest, LoopDestroyedWithWaitersLeavesItUsable) {
  Queue<int> queue(1);
  {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    create_task(*loop, queue.get());
    run_until_complete(*loop, sleep(0s));
  }
  queue.put_nowait(1);
  EXPECT_EQ(run(queue.get()), 1);
  EXPECT_EQ(run(ending(queue.get())), "RuntimeError");  // of another loop
}

// An item that throws when it is moved for the `fuse`th time.
struct Fused {
  explicit Fused(int number) : number(number) {}
  Fused(Fused&& other) : number(other.number) {
    if (fuse > 0 && --fuse == 0) throw std::runtime_error("fuse");
  }
  Fused& operator=(Fused&&) = delete;
  friend bool operator<(const Fused& a, const Fused& b) {
    if (compare_fuse > 0 && --compare_fuse == 0) {
      throw std::runtime_error("compare");
    }
    return a.number < b.number;
  }
  int number;
  static int fuse;
  static int compare_fuse;
};
int Fused::fuse = 0;
int Fused::compare_fuse = 0;

template <class Q>
void fail_everywhere(std::vector<int> expected) {
  Q queue;
  for (int i : {3, 1, 2, 5, 4}) {
    for (int fuse = 1; fuse < 4; ++fuse) {
      Fused::fuse = fuse;
      Fused::compare_fuse = fuse;
      const size_t before = queue.qsize();
      try {
        queue.emplace_nowait(Fused(i));
        Fused::fuse = Fused::compare_fuse = 0;
        ASSERT_EQ(queue.qsize(), before + 1);
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(queue.qsize(), before);
      }
    }
  }
  Fused::fuse = Fused::compare_fuse = 0;
  ASSERT_EQ(queue.qsize(), 5u);
  std::vector<int> got;
  while (!queue.empty()) {
    for (int fuse = 1;; ++fuse) {
      Fused::fuse = fuse;
      Fused::compare_fuse = fuse;
      const size_t before = queue.qsize();
      try {
        const Fused item = queue.get_nowait();
        Fused::fuse = Fused::compare_fuse = 0;
        got.push_back(item.number);
        ASSERT_EQ(queue.qsize(), before - 1);
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(queue.qsize(), before);
      }
    }
  }
  EXPECT_EQ(got, expected);
}

TEST(QueueThrowTest, ItemsThatThrowAreNotLost) {
  fail_everywhere<Queue<Fused>>({3, 1, 2, 5, 4});
  fail_everywhere<LifoQueue<Fused>>({4, 5, 2, 1, 3});
  fail_everywhere<PriorityQueue<Fused>>({1, 2, 3, 4, 5});
}

// What Python's heapq gives for these, whose order is by the first number
// alone.
TEST(QueueHeapTest, EqualItemsLeaveAsFromHeapq) {
  struct ByFirst {
    bool operator()(const std::pair<int, int>& a,
                    const std::pair<int, int>& b) const {
      return a.first < b.first;
    }
  };
  PriorityQueue<std::pair<int, int>, ByFirst> queue;
  for (int i = 0; i < 12; ++i) queue.put_nowait({i % 3, i});
  std::vector<int> order;
  while (!queue.empty()) order.push_back(queue.get_nowait().second);
  EXPECT_THAT(order,
              testing::ElementsAre(0, 6, 3, 9, 4, 10, 1, 7, 2, 5, 8, 11));
}

TEST(QueueStoreTest, BlocksComeAndGo) {
  Random random(7);
  Queue<int> fifo;
  LifoQueue<int> lifo;
  PriorityQueue<int> heap;
  std::vector<int> in_fifo, in_lifo, in_heap;
  for (int i = 0; i < 20000; ++i) {
    const bool grow = random.below(100) < (i % 4000 < 2000 ? 60u : 40u);
    if (grow || fifo.empty()) {
      const int item = static_cast<int>(random.below(1000));
      fifo.put_nowait(item);
      lifo.put_nowait(item);
      heap.put_nowait(item);
      in_fifo.push_back(item);
      in_lifo.push_back(item);
      in_heap.push_back(item);
    } else {
      ASSERT_EQ(fifo.get_nowait(), in_fifo.front());
      in_fifo.erase(in_fifo.begin());
      ASSERT_EQ(lifo.get_nowait(), in_lifo.back());
      in_lifo.pop_back();
      auto smallest = std::min_element(in_heap.begin(), in_heap.end());
      ASSERT_EQ(heap.get_nowait(), *smallest);
      in_heap.erase(smallest);
    }
  }
}

// Python's queue, waiter by waiter: both ends, cancellations, stolen items.
class QueueModel {
 public:
  explicit QueueModel(size_t maxsize) : maxsize_(maxsize) {}

  bool full() const { return items_.size() >= maxsize_; }
  size_t size() const { return items_.size(); }
  void put(int task, int item) {
    if (full()) {
      waits_.push_back({task, /*getter=*/false, item});
      putters_.push_back(task);
    } else {
      put_nowait(item);
      log.push_back(task);
    }
  }
  void get(int task) {
    if (items_.empty()) {
      waits_.push_back({task, /*getter=*/true, 0});
      getters_.push_back(task);
    } else {
      log.push_back(task * 1000 + get_nowait());
    }
  }
  void put_nowait(int item) {
    items_.push_back(item);
    wake_next(getters_);
  }
  int get_nowait() {
    const int item = items_.front();
    items_.erase(items_.begin());
    wake_next(putters_);
    return item;
  }
  bool waits(int task) { return find(task) != waits_.end(); }
  void cancel(int task) {
    Wait& w = *find(task);
    if (w.done) {
      w.cancelled_late = !w.cancelled;
      return;
    }
    w.done = w.cancelled = true;
    ready_.push_back(task);
  }
  void turn() {
    for (int task : std::exchange(ready_, {})) {
      Wait w = *find(task);
      std::vector<int>& line = w.getter ? getters_ : putters_;
      const bool possible = w.getter ? !items_.empty() : !full();
      if (w.cancelled || w.cancelled_late) {
        waits_.erase(find(task));
        std::erase(line, task);
        if (possible && !w.cancelled) wake_next(line);
        log.push_back(-task);
      } else if (!possible) {
        find(task)->done = false;
        line.push_back(task);
      } else {
        waits_.erase(find(task));
        if (w.getter) {
          log.push_back(task * 1000 + get_nowait());
        } else {
          put_nowait(w.item);
          log.push_back(task);
        }
      }
    }
  }

  std::vector<int> log;

 private:
  struct Wait {
    int task;
    bool getter;
    int item;
    bool done = false;
    bool cancelled = false;
    bool cancelled_late = false;
  };
  std::vector<Wait>::iterator find(int task) {
    return std::find_if(waits_.begin(), waits_.end(),
                        [&](const Wait& w) { return w.task == task; });
  }
  void wake_next(std::vector<int>& line) {
    while (!line.empty()) {
      Wait& w = *find(line.front());
      line.erase(line.begin());
      if (w.done) continue;
      w.done = true;
      ready_.push_back(w.task);
      return;
    }
  }

  size_t maxsize_;
  std::vector<int> items_;
  std::vector<int> getters_, putters_, ready_;
  std::vector<Wait> waits_;
};

Coroutine<> compare_with_model(uint64_t seed) {
  Random random(seed);
  const size_t maxsize = 1 + random.below(3);
  Queue<int> queue(static_cast<ptrdiff_t>(maxsize));
  QueueModel model(maxsize);
  std::vector<int> log;
  std::vector<Task<>> tasks;
  auto put = [&](int id, int item) -> Coroutine<> {
    auto result = co_await as_result(queue.put(item));
    log.push_back(result ? id : -id);
    if (!result) result.rethrow();
  };
  auto get = [&](int id) -> Coroutine<> {
    auto result = co_await as_result(queue.get());
    log.push_back(result ? id * 1000 + *result : -id);
    if (!result) result.rethrow();
  };
  for (int i = 0; i < 500; ++i) {
    const size_t action = random.below(14);
    const int id = static_cast<int>(tasks.size()) + 1;
    if (action < 3) {
      tasks.push_back(create_task(put(id, i), {.eager_start = true}));
      model.put(id, i);
    } else if (action < 6) {
      tasks.push_back(create_task(get(id), {.eager_start = true}));
      model.get(id);
    } else if (action < 7) {
      if (!queue.full()) {
        queue.put_nowait(i);
        model.put_nowait(i);
      }
    } else if (action < 8) {
      if (!queue.empty()) {
        CO_ASSERT_EQ(queue.get_nowait(), model.get_nowait());
      }
    } else if (action < 11 && !tasks.empty()) {
      const int victim = static_cast<int>(random.below(tasks.size())) + 1;
      if (model.waits(victim)) {
        tasks[victim - 1].cancel();
        model.cancel(victim);
      }
    } else {
      co_await turns();
      model.turn();
    }
    CO_ASSERT_EQ(queue.qsize(), model.size());
    CO_ASSERT_EQ(log, model.log);
  }
  for (Task<>& task : tasks) task.cancel();
  co_await turns(3);
}

// Fewer where a sanitizer makes each of them expensive.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kCrowd = 100'000;
#else
constexpr int kCrowd = 1'000'000;
#endif

ASYNCIO_TEST(QueueTest, ServesAMillionWaitersInTheOrderInWhichTheyCame) {
  Queue<int> queue;
  int served = 0;
  bool in_order = true;
  auto get = [&](int expected) -> Coroutine<> {
    in_order &= co_await queue.get() == expected;
    ++served;
  };
  std::vector<Task<>> tasks;
  // Every third is cancelled while it waits.
  for (int i = 0, n = 0; i < kCrowd; ++i) {
    tasks.push_back(create_task(get(i % 3 == 0 ? -1 : n++)));
  }
  co_await turns();
  for (int i = 0; i < kCrowd; i += 3) tasks[i].cancel();
  const int left = kCrowd - (kCrowd + 2) / 3;
  for (int i = 0; i < left; ++i) queue.put_nowait(i);
  co_await turns(2);
  EXPECT_EQ(served, left);
  EXPECT_TRUE(in_order);
  EXPECT_TRUE(queue.empty());
}

ASYNCIO_TEST(QueueTest, DoesWhatThePlainModelDoes) {
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    co_await compare_with_model(seed);
  }
}

}  // namespace
}  // namespace asyncio
