// Chance against a plain model: the same random program, with our primitives and
// with Python's written out, does the same, turn by turn.
#include "asyncio/tests/sync/plain_primitives.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/sync/barrier.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/virtual_clock.h"
#include "asyncio/tests/sync/sync_test_util.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

// What the scenes below have in common: a number of operations that wait, one
// of them by a random number; some that do not; and the state in words.
template <class L>
class LockScene {
 public:
  explicit LockScene(Random&) {}
  Coroutine<std::string> wait(Random& random) {
    const size_t hold = random.below(3);
    co_await lock_.acquire();
    Result<> held = co_await as_result(turns(static_cast<int>(hold)));
    lock_.release();
    held.rethrow();
    co_return "held";
  }
  std::string act(Random& random) {
    if (random.below(4) == 0) lock_.release();  // somebody else's, or nobody's
    return "";
  }
  std::string state() const { return lock_.locked() ? "locked" : "free"; }

 private:
  L lock_;
};

template <class E>
class EventScene {
 public:
  explicit EventScene(Random&) {}
  Coroutine<std::string> wait(Random&) {
    const bool set = co_await event_.wait();
    co_return set ? "true" : "false";
  }
  std::string act(Random& random) {
    const size_t what = random.below(3);
    if (what != 1) event_.set();
    if (what != 0) event_.clear();
    return what == 0 ? "set" : what == 1 ? "clear" : "both";
  }
  std::string state() const { return event_.is_set() ? "set" : "unset"; }

 private:
  E event_;
};

template <class C>
class ConditionScene {
 public:
  explicit ConditionScene(Random&) {}
  Coroutine<std::string> wait(Random& random) {
    const size_t what = random.below(8);
    const size_t n = random.below(3);
    const int hold = static_cast<int>(random.below(2));
    if (what == 0 && !condition_.locked()) co_await condition_.wait();
    co_await condition_.acquire();
    Result<> done = co_await as_result(inside(what, n, hold));
    condition_.release();
    done.rethrow();
    co_return std::to_string(number_);
  }
  std::string act(Random& random) {
    if (random.below(4) == 0) condition_.notify(2);
    ++number_;
    return "";
  }
  std::string state() const { return condition_.locked() ? "locked" : "free"; }

 private:
  Coroutine<> inside(size_t what, size_t n, int hold) {
    if (what < 3) {
      co_await condition_.wait();
    } else if (what < 5) {
      const size_t goal = number_ + n;
      co_await condition_.wait_for([this, goal] { return number_ >= goal; });
    } else if (what < 7) {
      ++number_;
      condition_.notify(n);
    } else {
      condition_.notify_all();
    }
    co_await turns(hold);
  }

  C condition_;
  size_t number_ = 0;
};

template <class S>
class SemaphoreScene {
 public:
  explicit SemaphoreScene(Random& random)
      : semaphore_(static_cast<ptrdiff_t>(random.below(4))) {}
  Coroutine<std::string> wait(Random& random) {
    const size_t hold = random.below(4);
    co_await semaphore_.acquire();
    if (hold == 3) co_return "kept";
    Result<> held = co_await as_result(turns(static_cast<int>(hold)));
    semaphore_.release();
    held.rethrow();
    co_return "held";
  }
  std::string act(Random& random) {
    for (size_t n = random.below(3); n > 0; --n) semaphore_.release();
    return "";
  }
  std::string state() const { return semaphore_.locked() ? "locked" : "free"; }

 private:
  S semaphore_;
};

template <class B>
class BarrierScene {
 public:
  explicit BarrierScene(Random& random)
      : barrier_(static_cast<ptrdiff_t>(1 + random.below(4))) {}
  Coroutine<std::string> wait(Random& random) {
    const size_t what = random.below(20);
    if (what == 0) {
      co_await barrier_.abort();
      co_return "abort";
    }
    if (what <= 2) {
      co_await barrier_.reset();
      co_return "reset";
    }
    const size_t index = co_await barrier_.wait();
    co_return std::to_string(index);
  }
  std::string act(Random&) { return ""; }
  std::string state() const {
    return std::to_string(barrier_.n_waiting()) +
           (barrier_.broken() ? "broken" : "");
  }

 private:
  B barrier_;
};

// Smaller where the first is; which of two equal ones it is shows.
struct Item {
  size_t priority;
  size_t number;
  friend bool operator<(const Item& a, const Item& b) {
    return a.priority < b.priority;
  }
};

template <class Q>
class QueueScene {
 public:
  explicit QueueScene(Random& random)
      : shutdown_(random.below(3)),
        queue_(static_cast<ptrdiff_t>(random.below(4))) {}
  Coroutine<std::string> wait(Random& random) {
    const size_t what = random.below(16);
    if (what == 0) {
      co_await queue_.join();
      co_return "joined";
    }
    if (what < 8) {
      const Item item{random.below(5), made_++};
      co_await queue_.put(item);
      co_return "put " + std::to_string(item.number);
    }
    const Item item = co_await queue_.get();
    if (what < 14) queue_.task_done();
    co_return "got " + std::to_string(item.number);
  }
  std::string act(Random& random) {
    switch (random.below(8)) {
      case 0:
      case 1:
        queue_.put_nowait({random.below(5), made_++});
        return "put";
      case 2:
      case 3:
        return "got " + std::to_string(queue_.get_nowait().number);
      case 4:
      case 5:
        queue_.task_done();
        return "done";
      default:
        if (shutdown_ == 0 || random.below(12) != 0) return "";
        queue_.shutdown({.immediate = shutdown_ == 2});
        return "shutdown";
    }
  }
  std::string state() const {
    return std::to_string(queue_.qsize()) + (queue_.full() ? "full" : "");
  }

 private:
  const size_t shutdown_;  // never, gently, at once
  Q queue_;
  size_t made_ = 0;
};

// One random program in one scene. Every choice is drawn when it is due: a
// program that goes another way draws other numbers.
template <class S>
class Play {
 public:
  explicit Play(uint64_t seed) : random_(seed), scene_(random_) {}

  std::vector<std::string> run() {
    VirtualClock clock;
    Runner runner(new_event_loop({.clock = &clock}));
    clock_ = &clock;
    runner.get_loop().set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          note(99, report.message);
        });
    runner.run(direct());
    runner.close();
    return std::move(log_);
  }

 private:
  static constexpr size_t kActors = 7;
  static constexpr int kMoves = 120;

  // From outside: turns, time, cancellations, and what needs no wait.
  Coroutine<> direct() {
    for (size_t i = 0; i < kActors; ++i) actors_.push_back(start());
    for (int i = 0; i < kMoves; ++i) {
      const size_t what = random_.below(10);
      if (what < 4) {
        co_await turns();
      } else if (what < 5) {
        co_await sleep(random_.below(4) * 1ms);
      } else if (what < 7) {
        Task<>& actor = actors_[random_.below(kActors)];
        if (actor.done()) {
          actor = start();
        } else {
          actor.cancel("from outside");
          note(99, "cancels " + actor.get_name());
        }
      } else {
        act(99);
      }
      note(99, scene_.state());
    }
    // Whoever is left, is left in the same place.
    for (int round = 0; round < 8; ++round) {
      for (size_t i = 0; i < kActors; ++i) {
        note(i, actors_[i].done() ? "done" : "left");
        actors_[i].cancel("the end");
      }
      co_await turns(3);
      note(99, scene_.state());
    }
  }

  Task<> start() {
    const size_t id = started_++;
    return create_task(actor(id), {.name = std::to_string(id)});
  }

  Coroutine<> actor(size_t id) {
    for (int i = 0; i < 12; ++i) {
      const size_t what = random_.below(8);
      Result<std::string> end = std::string();
      if (what == 0) {
        act(id);
      } else if (what == 1) {
        co_await turns(static_cast<int>(random_.below(3)));
      } else if (what < 5) {
        end = co_await as_result(scene_.wait(random_));
      } else if (what < 7) {
        const Duration limit = random_.below(3) * 1ms;
        end = co_await as_result(wait_for(scene_.wait(random_), limit));
      } else {
        const int patience = static_cast<int>(random_.below(5));
        Task<std::string> child = create_task(scene_.wait(random_));
        co_await turns(patience);
        child.cancel();
        end = co_await as_result(child);
      }
      if (end) {
        note(id, *end);
        continue;
      }
      note(id, exception_name(end.exception()) + "(" +
                   exception_message(end.exception()) + ")");
      if (end.cancelled() && random_.below(2) == 0) end.rethrow();
    }
  }

  void act(size_t id) {
    try {
      note(id, scene_.act(random_));
    } catch (const std::exception& e) {
      note(id, std::string("refused: ") + e.what());
    }
  }

  void note(size_t id, const std::string& what) {
    log_.push_back(std::to_string(clock_->elapsed() / 1ms) + "ms " +
                   std::to_string(id) + ": " + what + " [" + scene_.state() +
                   "]");
  }

  Random random_;
  S scene_;
  VirtualClock* clock_ = nullptr;
  std::vector<Task<>> actors_;
  size_t started_ = 0;
  std::vector<std::string> log_;
};

template <class Ours, class Plain>
void compare(uint64_t programs) {
  size_t lines = 0;
  for (uint64_t seed = 1; seed <= programs; ++seed) {
    const std::vector<std::string> expected = Play<Plain>(seed).run();
    const std::vector<std::string> actual = Play<Ours>(seed).run();
    for (size_t i = 0; i < expected.size() && i < actual.size(); ++i) {
      ASSERT_EQ(actual[i], expected[i]) << "line " << i << ", seed " << seed;
    }
    ASSERT_EQ(actual.size(), expected.size()) << "seed " << seed;
    lines += expected.size();
  }
  EXPECT_GT(lines, programs * 150);
}

constexpr uint64_t kPrograms = 150;

TEST(PlainModelTest, LockIsPythons) {
  compare<LockScene<Lock>, LockScene<plain::Lock>>(kPrograms);
}

TEST(PlainModelTest, EventIsPythons) {
  compare<EventScene<Event>, EventScene<plain::Event>>(kPrograms);
}

TEST(PlainModelTest, ConditionIsPythons) {
  compare<ConditionScene<Condition>, ConditionScene<plain::Condition>>(
      kPrograms);
}

TEST(PlainModelTest, SemaphoreIsPythons) {
  compare<SemaphoreScene<Semaphore>, SemaphoreScene<plain::Semaphore>>(
      kPrograms);
}

TEST(PlainModelTest, BoundedSemaphoreIsPythons) {
  compare<SemaphoreScene<BoundedSemaphore>,
          SemaphoreScene<plain::BoundedSemaphore>>(kPrograms);
}

TEST(PlainModelTest, BarrierIsPythons) {
  compare<BarrierScene<Barrier>, BarrierScene<plain::Barrier>>(kPrograms);
}

TEST(PlainModelTest, QueueIsPythons) {
  compare<QueueScene<Queue<Item>>, QueueScene<plain::Queue<Item>>>(kPrograms);
}

TEST(PlainModelTest, LifoQueueIsPythons) {
  compare<QueueScene<LifoQueue<Item>>, QueueScene<plain::LifoQueue<Item>>>(
      kPrograms);
}

TEST(PlainModelTest, PriorityQueueIsPythons) {
  compare<QueueScene<PriorityQueue<Item>>,
          QueueScene<plain::PriorityQueue<Item>>>(kPrograms);
}

}  // namespace
}  // namespace asyncio
