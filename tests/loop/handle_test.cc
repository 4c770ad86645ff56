#include "asyncio/loop/handle.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

using HandleTest = LoopFixture;

TEST_F(HandleTest, CallableIsDestroyedAfterItsCallBeforeTheNext) {
  struct Leaver {
    Leaver(std::string& log) : log(&log) {}
    Leaver(Leaver&& other) : log(std::exchange(other.log, nullptr)) {}
    ~Leaver() {
      if (log != nullptr) *log += '~';
    }
    void operator()() { *log += '!'; }
    std::string* log;
  };
  loop.call_soon(Leaver(log));
  Handle kept = loop.call_soon(Leaver(log));
  loop.call_soon(note("x"));
  run_iterations();
  EXPECT_EQ(log, "!~!~x");
}

TEST_F(HandleTest, CallableThatThrewIsDestroyedThoughItsReportIsKept) {
  auto token = std::make_shared<int>();
  loop.call_soon([copy = token] { throw ValueError("x"); });
  Handle held = loop.call_soon([copy = token] { throw ValueError("y"); });
  run_iterations();
  EXPECT_EQ(token.use_count(), 1);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_FALSE(reports[0].handle->cancelled());
  EXPECT_EQ(*reports[1].handle, held);
  reports.clear();
}

TEST_F(HandleTest, CallableThatInterruptsIsDestroyedAndTheRestRunsNextTime) {
  auto token = std::make_shared<int>();
  loop.call_soon([copy = token] { throw KeyboardInterrupt(); });
  loop.call_soon(note("x"));
  EXPECT_THROW(run_iterations(), KeyboardInterrupt);
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(log, "");
  run_iterations();
  EXPECT_EQ(log, "x");
}

TEST_F(HandleTest, CancelKeepsTheCallFromRunning) {
  Handle handle = loop.call_soon(note("x"));
  EXPECT_FALSE(handle.cancelled());
  handle.cancel();
  handle.cancel();
  EXPECT_TRUE(handle.cancelled());
  run_iterations();
  EXPECT_EQ(log, "");
}

TEST_F(HandleTest, CancelInTheSameBatchKeepsTheCallFromRunning) {
  Handle second;
  loop.call_soon([&] { second.cancel(); });
  second = loop.call_soon(note("x"));
  loop.call_soon(note("y"));
  run_iterations();
  EXPECT_EQ(log, "y");
}

TEST_F(HandleTest, CancelOfATimerThatIsDueInTheSameBatchKeepsItFromRunning) {
  Handle second;
  loop.call_later(1s, [&] { second.cancel(); });
  second = loop.call_later(1s, note("x"));
  run_for(2s);
  EXPECT_EQ(log, "");
}

TEST_F(HandleTest, CancelDestroysTheCallableAtOnce) {
  auto token = std::make_shared<int>();
  Handle soon = loop.call_soon([token] {});
  Handle later = loop.call_later(1h, [token] {});
  Handle never = loop.call_later(Duration::infinite(), [token] {});
  EXPECT_EQ(token.use_count(), 4);
  soon.cancel();
  EXPECT_EQ(token.use_count(), 3);
  later.cancel();
  EXPECT_EQ(token.use_count(), 2);
  never.cancel();
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(HandleTest, CancelOfItselfWhileItRunsLeavesTheCallableInPlace) {
  auto token = std::make_shared<int>(5);
  Handle self;
  self = loop.call_soon([&self, token, this] {
    self.cancel();
    log += std::to_string(*token);
  });
  run_iterations();
  EXPECT_EQ(log, "5");
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(HandleTest, CancelAfterItRanDoesNothing) {
  Handle handle = loop.call_soon(note("x"));
  run_iterations();
  handle.cancel();
  EXPECT_TRUE(handle.cancelled());
  EXPECT_EQ(log, "x");
}

TEST_F(HandleTest, CallableMayOwnTheHandleItIsCancelledThrough) {
  auto handle = std::make_shared<Handle>();
  *handle = loop.call_later(1s, [handle] {});
  const Handle* inside = handle.get();
  handle = nullptr;
  inside->cancel();  // destroys what it is called on
  run_for(2s);
}

TEST_F(HandleTest, CallableMayScheduleWhileItIsDestroyed) {
  struct Guard {
    EventLoop* loop;
    std::string* log;
    ~Guard() {
      loop->call_soon([log = log] { *log += "scheduled"; });
    }
  };
  Handle handle = loop.call_later(
      1s, [guard = std::make_shared<Guard>(Guard{&loop, &log})] {});
  run_iterations();
  log.clear();  // what the temporary Guard left
  handle.cancel();
  run_iterations();
  EXPECT_EQ(log, "scheduled");
}

TEST_F(HandleTest, DroppingAHandleChangesNothing) {
  loop.call_soon(note("a"));
  loop.call_later(1s, note("b"));
  run_for(2s);
  EXPECT_EQ(log, "ab");
}

TEST_F(HandleTest, PostedCallMayBeCancelledFromAnotherThread) {
  Handle handle;
  loop.call_soon([&] {
    std::thread([&] {
      loop.call_soon_threadsafe(note("a"));
      handle = loop.call_soon_threadsafe(note("x"));
      handle.cancel();
      loop.call_soon_threadsafe(note("b"));
    }).join();
  });
  run_iterations(2);
  EXPECT_EQ(log, "ab");
}

TEST_F(HandleTest, PostedCallableIsDestroyedInTheLoopsThread) {
  struct Guard {
    std::thread::id* destroyed_in;
    ~Guard() { *destroyed_in = std::this_thread::get_id(); }
  };
  std::thread::id destroyed_in;
  auto guard = std::make_shared<Guard>(Guard{&destroyed_in});
  destroyed_in = std::thread::id();
  Handle handle;
  std::thread([&] {
    handle = loop.call_soon_threadsafe([g = std::move(guard)] {});
    handle.cancel();
  }).join();
  run_iterations();
  EXPECT_EQ(destroyed_in, std::this_thread::get_id());
}

TEST_F(HandleTest, IsNullComparableHashableAndPrintable) {
  Handle null;
  EXPECT_FALSE(null);
  EXPECT_EQ(to_string(null), "<Handle null>");
  Handle a = loop.call_soon([] {});
  TimerHandle b = loop.call_later(1500ms, [] {});
  EXPECT_TRUE(a);
  EXPECT_NE(a, static_cast<Handle>(b));
  absl::flat_hash_set<Handle> set = {a, b, a};
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(to_string(b).find("<TimerHandle when=1001.500000 "), 0u)
      << to_string(b);
  b.cancel();
  EXPECT_EQ(to_string(b).find("<TimerHandle cancelled when=1001.5"), 0u)
      << to_string(b);
}

}  // namespace
}  // namespace asyncio
