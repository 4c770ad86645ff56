// Every primitive, in every order of starts, wake-ups, cancellations and turns
// that a bound allows: nothing is lost, nobody is forgotten, nobody overtakes.
#include "asyncio/tests/sync/explorer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/sync/barrier.h"
#include "asyncio/sync/condition.h"
#include "asyncio/sync/event.h"
#include "asyncio/sync/lock.h"
#include "asyncio/sync/queue.h"
#include "asyncio/sync/rw_lock.h"
#include "asyncio/sync/semaphore.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

// Counts while it exists.
class Inside {
 public:
  explicit Inside(size_t& count) : count_(count) { ++count_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { --count_; }

 private:
  size_t& count_;
};

// Units to acquire and release. The unit of an even task is released from
// outside; an odd one holds it for a turn.
template <class Primitive>
class UnitScene : public Scene {
 public:
  template <class... Args>
  explicit UnitScene(size_t units, Args... args)
      : primitive_(args...), units_(units) {}

  size_t moves() const override { return 1; }
  bool move(size_t) override { return free(); }
  bool free() override {
    if (left_behind_ == 0) return false;
    --left_behind_;
    --holders_;
    primitive_.release();
    return true;
  }

  Coroutine<> script(size_t id) override {
    if (id % 2 == 0) {
      co_await primitive_.acquire();
      goes_in_line(id);
      ++left_behind_;
      ++holders_;
      EXPECT_LE(holders_, units_);
    } else {
      auto held = co_await primitive_.scoped_acquire();
      goes_in_line(id);
      Inside inside(holders_);
      EXPECT_LE(holders_, units_);
      co_await turns();
    }
  }

  void check_quiet() override {
    if (waiting() > 0) {
      EXPECT_EQ(holders_, units_) << "a unit is free";
    }
    EXPECT_EQ(primitive_.locked(), holders_ == units_);
  }
  void check_end() override {
    while (free()) {
    }
    EXPECT_EQ(holders_, 0u);
    // All the units are back, and no more than those.
    for (size_t i = 0; i < units_; ++i) {
      EXPECT_FALSE(primitive_.locked());
      start_helper(drop(primitive_));
    }
    EXPECT_TRUE(primitive_.locked());
  }

 private:
  static Coroutine<> drop(Primitive& primitive) {
    co_await primitive.acquire();
  }

  Primitive primitive_;
  const size_t units_;
  size_t holders_ = 0;
  size_t left_behind_ = 0;  // by tasks that are done
};

ASYNCIO_TEST(ExplorerTest, LockIsHeldByOneAndNeverForgotten) {
  const size_t words =
      co_await explore(7, [] { return std::make_unique<UnitScene<Lock>>(1); });
  EXPECT_GT(words, 500u);
}

ASYNCIO_TEST(ExplorerTest, SemaphoreKeepsItsUnits) {
  for (const size_t units : {1, 2}) {
    const size_t words = co_await explore(7, [units] {
      return std::make_unique<UnitScene<Semaphore>>(units, units);
    });
    EXPECT_GT(words, 500u);
  }
}

ASYNCIO_TEST(ExplorerTest, BoundedSemaphoreKeepsItsUnits) {
  for (const size_t units : {1, 2}) {
    const size_t words = co_await explore(7, [units] {
      return std::make_unique<UnitScene<BoundedSemaphore>>(units, units);
    });
    EXPECT_GT(words, 500u);
  }
}

// Bit i of `writers`: task i writes.
class RWLockScene : public Scene {
 public:
  explicit RWLockScene(size_t writers) : writers_(writers) {}

  size_t moves() const override { return 2; }
  bool move(size_t n) override { return n == 0 ? end_read() : end_write(); }
  bool free() override { return end_read() || end_write(); }

  Coroutine<> script(size_t id) override {
    if (writes(id)) {
      co_await lock_.acquire_write();
      ++writing_;
      goes_in_line(id);  // readers go in groups, in any order
    } else {
      co_await lock_.acquire_read();
      ++reading_;
    }
    check();
  }

  void check() override {
    EXPECT_TRUE(writing_ == 0 || (writing_ == 1 && reading_ == 0));
  }
  void check_quiet() override {
    EXPECT_EQ(lock_.writing().locked(), writing_ == 1);
    EXPECT_EQ(lock_.reading().locked(), reading_ > 0);
    for (size_t id = 0; id < count(); ++id) {
      if (!waits(id)) continue;
      // The foremost is kept out by who is inside, not by who is gone.
      EXPECT_TRUE(writing_ == 1 || (writes(id) && reading_ > 0));
      break;
    }
  }
  void check_end() override {
    while (free()) {
    }
    EXPECT_FALSE(lock_.writing().locked());
    EXPECT_FALSE(lock_.reading().locked());
  }

 private:
  bool writes(size_t id) const { return (writers_ >> id & 1) != 0; }
  bool end_read() {
    if (reading_ == 0) return false;
    --reading_;
    lock_.release_read();
    return true;
  }
  bool end_write() {
    if (writing_ == 0) return false;
    --writing_;
    lock_.release_write();
    return true;
  }

  const size_t writers_;
  RWLock lock_;
  size_t reading_ = 0;
  size_t writing_ = 0;
};

ASYNCIO_TEST(ExplorerTest, RWLockKeepsWritersAloneAndForgetsNobody) {
  for (const size_t writers : {0b0010u, 0b0101u, 0b1001u, 0b0110u}) {
    const size_t words = co_await explore(
        6, [writers] { return std::make_unique<RWLockScene>(writers); });
    EXPECT_GT(words, 400u);
  }
}

class EventScene : public Scene {
 public:
  size_t moves() const override { return 2; }
  bool move(size_t n) override { return n == 0 ? free() : clear(); }
  bool free() override {
    if (event_.is_set()) return false;
    event_.set();
    for (size_t id = 0; id < count(); ++id) due_[id] = waits(id);
    return true;
  }

  Coroutine<> script(size_t id) override {
    const bool at_once = event_.is_set();
    const bool value = co_await event_.wait();
    EXPECT_TRUE(value);
    EXPECT_TRUE(at_once || due_[id]) << "woken without a set()";
  }

  void check_quiet() override {
    for (size_t id = 0; id < count(); ++id) {
      EXPECT_FALSE(due_[id] && waits(id)) << "set() did not wake " << id;
    }
    if (event_.is_set()) {
      EXPECT_EQ(waiting(), 0u);
    }
  }

 private:
  bool clear() {
    if (!event_.is_set()) return false;
    event_.clear();
    // Who is woken already still goes: what is due stays so.
    return true;
  }

  Event event_;
  std::array<bool, 4> due_ = {};
};

ASYNCIO_TEST(ExplorerTest, EventWakesWhoWaitedAtTheSet) {
  const size_t words =
      co_await explore(7, [] { return std::make_unique<EventScene>(); });
  EXPECT_GT(words, 500u);
}

class ConditionScene : public Scene {
 public:
  size_t moves() const override { return 1; }
  bool move(size_t) override { return notifiers_ < 2 && free(); }
  bool free() override {
    ++notifiers_;
    start_helper(notifier());
    return true;
  }

  Coroutine<> script(size_t id) override {
    auto held = co_await condition_.scoped_acquire();
    began_[id] = {true, notified_, woken_};
    auto waited = co_await as_result(condition_.wait());
    EXPECT_TRUE(condition_.locked());
    if (waited) ++woken_;
    Inside inside(inside_);
    EXPECT_EQ(inside_, 1u);
    co_await turns();
    waited.rethrow();
  }

  void check_quiet() override {
    EXPECT_FALSE(condition_.locked());
    for (size_t id = 0; id < count(); ++id) {
      if (!waits(id)) continue;
      EXPECT_TRUE(began_[id].waiting) << "the lock was free";
      // Each notification since woke another one.
      EXPECT_GE(woken_ - began_[id].woken, notified_ - began_[id].notified)
          << "a notification is lost";
    }
  }

 private:
  struct Began {
    bool waiting = false;
    size_t notified = 0;
    size_t woken = 0;
  };

  Coroutine<> notifier() {
    auto held = co_await condition_.scoped_acquire();
    Inside inside(inside_);
    EXPECT_EQ(inside_, 1u);
    condition_.notify();
    ++notified_;
  }

  Condition condition_;
  size_t notifiers_ = 0;
  size_t notified_ = 0;
  size_t woken_ = 0;
  size_t inside_ = 0;
  std::array<Began, 4> began_ = {};
};

ASYNCIO_TEST(ExplorerTest, ConditionLosesNoNotification) {
  const size_t words =
      co_await explore(7, [] { return std::make_unique<ConditionScene>(); });
  EXPECT_GT(words, 500u);
}

class BarrierScene : public Scene {
 public:
  explicit BarrierScene(size_t parties)
      : barrier_(static_cast<ptrdiff_t>(parties)) {}

  size_t moves() const override { return 0; }
  bool move(size_t) override { return false; }
  bool free() override {
    start_helper(one_more());
    return true;
  }

  Coroutine<> script(size_t) override {
    const size_t index = co_await barrier_.wait();
    EXPECT_LT(index, barrier_.parties());
    ++indices_[index];
  }

  void check() override { EXPECT_FALSE(barrier_.broken()); }
  void check_quiet() override {
    // As many wait as are inside, and they are too few to go.
    EXPECT_EQ(barrier_.n_waiting(), waiting() + helpers_);
    EXPECT_LT(barrier_.n_waiting(), barrier_.parties());
  }
  void check_end() override {
    EXPECT_EQ(barrier_.n_waiting(), 0u);
    // The last index is of who came last, waits for nothing, and so cannot be
    // cancelled: it is given once a round. (The others can be given twice,
    // where one who waited was cancelled.)
    const size_t rounds = indices_[barrier_.parties() - 1];
    const size_t passed = indices_[0] + indices_[1] + indices_[2];
    EXPECT_LE(passed, rounds * barrier_.parties()) << "a round of too many";
  }

 private:
  Coroutine<> one_more() {
    Inside inside(helpers_);
    co_await script(0);
  }

  Barrier barrier_;
  std::array<size_t, 3> indices_ = {};
  size_t helpers_ = 0;  // that wait
};

ASYNCIO_TEST(ExplorerTest, BarrierLetsAllGoOrNobody) {
  for (const size_t parties : {2, 3}) {
    const size_t words = co_await explore(
        8, [parties] { return std::make_unique<BarrierScene>(parties); });
    EXPECT_GT(words, 30u);
  }
}

// Bit i of `putters`: task i puts its number; the others get.
class QueueScene : public Scene {
 public:
  explicit QueueScene(size_t putters) : putters_(putters) {}

  size_t moves() const override { return 2; }
  bool move(size_t n) override { return n == 0 ? put_one() : get_one(); }
  bool free() override { return queue_.full() ? get_one() : put_one(); }

  Coroutine<> script(size_t id) override {
    if (puts(id)) {
      co_await queue_.put(id);
      put_.push_back(id);
    } else {
      const size_t item = co_await queue_.get();
      got_.push_back(item);
    }
  }

  void check() override {
    EXPECT_LE(queue_.qsize(), 1u);
    EXPECT_EQ(got_.size() + queue_.qsize(), put_.size());
    EXPECT_TRUE(std::equal(got_.begin(), got_.end(), put_.begin()));
  }
  void check_quiet() override {
    for (size_t id = 0; id < count(); ++id) {
      if (!waits(id)) continue;
      EXPECT_TRUE(puts(id) ? queue_.full() : queue_.empty())
          << "nothing is in the way of " << id;
    }
  }
  void check_end() override {
    while (!queue_.empty()) get_one();
    EXPECT_EQ(got_, put_);
  }

 private:
  bool puts(size_t id) const { return (putters_ >> id & 1) != 0; }
  bool put_one() {
    if (queue_.full()) return false;
    queue_.put_nowait(next_);
    put_.push_back(next_++);
    return true;
  }
  bool get_one() {
    if (queue_.empty()) return false;
    got_.push_back(queue_.get_nowait());
    return true;
  }

  const size_t putters_;
  Queue<size_t> queue_{1};
  std::vector<size_t> put_, got_;
  size_t next_ = 10;  // what is put from outside
};

ASYNCIO_TEST(ExplorerTest, QueueGivesEveryItemOnce) {
  for (const size_t putters : {0b0000u, 0b0101u, 0b0011u, 0b1111u}) {
    const size_t words = co_await explore(
        7, [putters] { return std::make_unique<QueueScene>(putters); });
    EXPECT_GT(words, 100u);
  }
}

}  // namespace
}  // namespace asyncio
