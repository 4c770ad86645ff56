#include "asyncio/sync/rw_lock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/with.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

// Tasks that go in, say so by their name, and stay inside for a second: 'r's
// and other small letters read, capitals write.
class RWLockTest : public AsyncTest {
 protected:
  Task<> start(char name) {
    return create_task(name >= 'a' ? read(name) : write(name));
  }
  Coroutine<> read(char name) {
    auto held = co_await lock.reading().scoped_acquire();
    log += name;
    co_await sleep(1s);
    log += '.';
  }
  Coroutine<> write(char name) {
    auto held = co_await lock.writing().scoped_acquire();
    log += name;
    co_await sleep(1s);
    log += '.';
  }

  RWLock lock;
  std::string log;
};

ASYNCIO_TEST_F(RWLockTest, ReadersAreInsideTogether) {
  auto a = start('a');
  auto b = start('b');
  co_await a;
  co_await b;
  EXPECT_EQ(log, "ab..");
  EXPECT_FALSE(lock.reading().locked());
}

ASYNCIO_TEST_F(RWLockTest, AWriterIsInsideAlone) {
  std::vector<Task<>> tasks;
  for (char name : {'A', 'B', 'c', 'D'}) tasks.push_back(start(name));
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "A.B.c.D.");
  EXPECT_EQ(elapsed(), 4s);
}

ASYNCIO_TEST_F(RWLockTest, TakesAFreeLockWithoutATurn) {
  bool turned = false;
  get_running_loop().call_soon([&] { turned = true; });
  EXPECT_TRUE(co_await lock.acquire_read());
  EXPECT_TRUE(co_await lock.acquire_read());
  EXPECT_TRUE(lock.reading().locked());
  EXPECT_FALSE(lock.writing().locked());
  lock.release_read();
  EXPECT_TRUE(lock.reading().locked());
  lock.release_read();
  EXPECT_TRUE(co_await lock.acquire_write());
  EXPECT_TRUE(lock.writing().locked());
  lock.release_write();
  EXPECT_FALSE(turned);
  co_await turns();
}

ASYNCIO_TEST_F(RWLockTest, AWaitingWriterStopsNewReaders) {
  std::vector<Task<>> tasks;
  for (char name : {'a', 'b', 'W', 'c', 'd'}) tasks.push_back(start(name));
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "ab..W.cd..");
}

ASYNCIO_TEST_F(RWLockTest, ReadersGoTogetherUpToTheNextWriter) {
  std::vector<Task<>> tasks;
  for (char name : {'W', 'a', 'b', 'c', 'X', 'd'}) tasks.push_back(start(name));
  for (Task<>& task : tasks) co_await task;
  EXPECT_EQ(log, "W.abc...X.d.");
}

ASYNCIO_TEST_F(RWLockTest, WhoWasHandedTheLockIsNotOvertaken) {
  co_await lock.acquire_write();
  auto writer = start('W');
  co_await turns();
  lock.release_write();
  EXPECT_TRUE(lock.writing().locked());  // handed over
  co_await lock.acquire_read();          // behind it
  EXPECT_EQ(log, "W.");
  lock.release_read();
  co_await writer;
}

ASYNCIO_TEST_F(RWLockTest, NewReadersJoinReadersThatHaveNotRunYet) {
  co_await lock.acquire_write();
  auto reader = start('a');
  co_await turns();
  lock.release_write();
  EXPECT_TRUE(co_await lock.acquire_read());  // at once
  EXPECT_EQ(log, "");
  lock.release_read();
  co_await reader;
}

ASYNCIO_TEST_F(RWLockTest, ACancelledWriterLetsTheReadersBehindItGo) {
  auto a = start('a');
  auto writer = start('W');
  auto b = start('b');
  co_await turns();
  writer.cancel();
  co_await turns(2);
  EXPECT_EQ(log, "ab");
  co_await b;
  EXPECT_TRUE(a.done());
  EXPECT_TRUE(writer.cancelled());
}

ASYNCIO_TEST_F(RWLockTest, AWriterThatIsCancelledWhenItHasTheLockPassesItOn) {
  for (const bool cancel_first : {true, false}) {
    co_await lock.acquire_write();
    auto writer = create_task(lock.acquire_write());
    auto reader = create_task(lock.acquire_read());
    co_await turns();
    if (cancel_first) writer.cancel();
    lock.release_write();
    if (!cancel_first) writer.cancel();
    co_await turns(2);
    EXPECT_TRUE(writer.cancelled());
    EXPECT_TRUE(reader.done());
    lock.release_read();
    EXPECT_FALSE(lock.writing().locked());
  }
}

ASYNCIO_TEST_F(RWLockTest, AReaderThatIsCancelledWhenItHasTheLockPassesItOn) {
  co_await lock.acquire_write();
  auto reader = create_task(lock.acquire_read());
  auto writer = create_task(lock.acquire_write());
  co_await turns();
  lock.release_write();
  reader.cancel();
  co_await turns(2);
  EXPECT_TRUE(reader.cancelled());
  EXPECT_TRUE(writer.done());
  EXPECT_FALSE(lock.reading().locked());
  lock.release_write();
}

ASYNCIO_TEST_F(RWLockTest, WithReleasesOnEveryWayOut) {
  const bool reading =
      co_await with(lock.reading(), [&] { return lock.reading().locked(); });
  EXPECT_TRUE(reading);
  auto fails = [](RWLock::Writing& side) -> Coroutine<> {
    EXPECT_TRUE(side.locked());
    co_await sleep(1s);
    throw ValueError("body");
  };
  EXPECT_EQ(co_await ending(with(lock.writing(), fails)), "ValueError");
  EXPECT_FALSE(lock.reading().locked());
  EXPECT_FALSE(lock.writing().locked());
}

ASYNCIO_TEST_F(RWLockTest, DestroyedWithWaitersLetsGoOfThem) {
  auto dying = std::make_unique<RWLock>();
  co_await dying->acquire_write();
  auto woken = create_task(dying->acquire_read());
  auto late = create_task(dying->acquire_read());
  auto waiting = create_task(dying->acquire_write());
  co_await turns();
  dying->release_write();
  late.cancel();
  dying.reset();
  EXPECT_EQ(co_await ending(woken), "RuntimeError");
  EXPECT_EQ(co_await ending(late), "CancelledError");
  EXPECT_FALSE(waiting.done());
  waiting.cancel();
  EXPECT_EQ(co_await ending(waiting), "CancelledError");
}

ASYNCIO_TEST_F(RWLockTest, GuardsOutliveIt) {
  auto dying = std::make_unique<RWLock>();
  auto held = co_await dying->reading().scoped_acquire();
  EXPECT_TRUE(held);
  dying.reset();
  EXPECT_FALSE(held);
}

TEST(RWLockValueTest, ReleaseOfWhatIsNotHeldThrows) {
  RWLock lock;
  EXPECT_THAT([&] { lock.release_read(); },
              testing::ThrowsMessage<RuntimeError>(
                  "RWLock is not acquired for reading."));
  run(lock.acquire_read());
  EXPECT_THAT([&] { lock.release_write(); },
              testing::ThrowsMessage<RuntimeError>(
                  "RWLock is not acquired for writing."));
}

TEST(RWLockLoopTest, BelongsToTheFirstLoopThatWaits) {
  RWLock lock;
  run([&]() -> Coroutine<> {
    co_await lock.acquire_read();
    auto waiter = create_task(lock.acquire_write());
    co_await turns();
    waiter.cancel();
  });
  EXPECT_EQ(run(ending(lock.acquire_write())), "RuntimeError");
  EXPECT_TRUE(run(lock.acquire_read()));  // no wait, no loop
}

TEST(RWLockLoopTest, LoopDestroyedWithWaitersLeavesTheLockUsable) {
  RWLock lock;
  {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    run_until_complete(*loop, lock.acquire_read());
    create_task(*loop, lock.acquire_write());
    create_task(*loop, lock.acquire_read());
    run_until_complete(*loop, sleep(0s));
  }
  lock.release_read();
  EXPECT_TRUE(run(lock.acquire_write()));
}

TEST(RWLockLoopTest, DebugModeNamesTheWaitersOfADestroyedLock) {
  testing::internal::CaptureStderr();
  run(
      [&]() -> Coroutine<> {
        auto lock = std::make_unique<RWLock>();
        co_await lock->acquire_read();
        create_task(lock->acquire_write(), {.name = "one"});
        create_task(lock->acquire_read(), {.name = "two"});
        co_await turns();
        lock.reset();
      },
      {.debug = true});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "RuntimeWarning: RWLock was destroyed while tasks wait in it: 'one' "
            "'two'\n");
}

// A lock without a wait queue: a line of names, looked through from its front.
class RWLockModel {
 public:
  struct Wait {
    int task;
    bool write;
    enum { kWaiting, kHanded, kCancelled } state = kWaiting;
    bool cancelled = false;
  };

  bool acquire(int task, bool write) {
    const bool first = std::none_of(
        waiters_.begin(), waiters_.end(),
        [](const Wait& w) { return w.state == Wait::kWaiting; });
    if (first && admits(write)) {
      enter(write);
      return true;
    }
    waiters_.push_back({task, write});
    return false;
  }
  void release(bool write) {
    leave(write);
    hand_on();
  }
  bool waits(int task) { return find(task) != waiters_.end(); }
  void cancel(int task) {
    Wait& w = *find(task);
    if (w.state == Wait::kWaiting) {
      w.state = Wait::kCancelled;
      ready_.push_back(task);
    }
    w.cancelled = true;
  }
  void turn(std::vector<int>& log) {
    for (int task : std::exchange(ready_, {})) {
      const Wait w = *find(task);
      waiters_.erase(find(task));
      log.push_back(w.cancelled ? -task : task);
      if (!w.cancelled) continue;
      if (w.state == Wait::kHanded) leave(w.write);
      hand_on();
    }
  }
  int readers() const { return readers_; }
  bool writer() const { return writer_; }

 private:
  std::vector<Wait>::iterator find(int task) {
    return std::find_if(waiters_.begin(), waiters_.end(),
                        [&](const Wait& w) { return w.task == task; });
  }
  bool admits(bool write) const { return !writer_ && !(write && readers_ > 0); }
  void enter(bool write) { write ? void(writer_ = true) : void(++readers_); }
  void leave(bool write) { write ? void(writer_ = false) : void(--readers_); }
  void hand_on() {
    for (Wait& w : waiters_) {
      if (w.state != Wait::kWaiting) continue;
      if (!admits(w.write)) return;
      enter(w.write);
      w.state = Wait::kHanded;
      ready_.push_back(w.task);
    }
  }

  int readers_ = 0;
  bool writer_ = false;
  std::vector<Wait> waiters_;
  std::vector<int> ready_;
};

Coroutine<> compare_with_model(uint64_t seed) {
  Random random(seed);
  RWLock lock;
  RWLockModel model;
  std::vector<int> log, expected;
  std::vector<Task<>> tasks;
  // How many have it and have run, of each kind.
  int inside[2] = {0, 0};
  auto acquire = [&](int id, bool write) -> Coroutine<> {
    Result<bool> result(false);
    if (write) {
      result = co_await as_result(lock.acquire_write());
    } else {
      result = co_await as_result(lock.acquire_read());
    }
    log.push_back(result ? id : -id);
    result.rethrow();
    ++inside[write];
    EXPECT_TRUE(inside[1] == 0 || (inside[1] == 1 && inside[0] == 0));
  };
  for (int i = 0; i < 400; ++i) {
    const size_t action = random.below(10);
    if (action < 3) {
      // Eagerly, so that it asks here and now.
      const int id = static_cast<int>(tasks.size()) + 1;
      const bool write = random.below(3) == 0;
      tasks.push_back(create_task(acquire(id, write), {.eager_start = true}));
      if (model.acquire(id, write)) expected.push_back(id);
    } else if (action < 6) {
      const bool write = inside[1] > 0;
      if (inside[write] > 0) {
        --inside[write];
        write ? lock.release_write() : lock.release_read();
        model.release(write);
      }
    } else if (action < 8 && !tasks.empty()) {
      const int id = static_cast<int>(random.below(tasks.size())) + 1;
      if (model.waits(id)) {
        tasks[id - 1].cancel();
        model.cancel(id);
      }
    } else {
      co_await turns();
      model.turn(expected);
    }
    CO_ASSERT_EQ(lock.reading().locked(), model.readers() > 0);
    CO_ASSERT_EQ(lock.writing().locked(), model.writer());
    CO_ASSERT_EQ(log, expected);
  }
  for (Task<>& task : tasks) task.cancel();
  co_await turns(3);
}

ASYNCIO_TEST_F(RWLockTest, DoesWhatThePlainModelDoes) {
  for (uint64_t seed = 1; seed <= 250; ++seed) {
    SCOPED_TRACE(seed);
    co_await compare_with_model(seed);
  }
}

}  // namespace
}  // namespace asyncio
