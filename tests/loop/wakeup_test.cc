// What a post costs in calls of the kernel, counted where the loop meets it:
// its poller's waits, and the writes to the eventfd that end them.
#include "asyncio/loop/internal/wakeup.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <sched.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/poller.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/tests/loop/answered_posts.h"

namespace asyncio {
namespace {

class CountingPoller final : public internal::Poller {
 public:
  CountingPoller(const internal::Wakeup& wakeup, int& polls,
                 std::function<void()>& before_wait)
      : poller_(internal::make_epoll_poller(wakeup)),
        polls_(polls),
        before_wait_(before_wait) {}

  void set_interest(internal::IoNode& node, int32_t interest) override {
    poller_->set_interest(node, interest);
    watched_ = poller_->watched();
  }
  void poll(Duration timeout, internal::ReadyQueue& ready) override {
    ++polls_;
    if (timeout > Duration::zero() && before_wait_) before_wait_();
    poller_->poll(timeout, ready);
  }

 private:
  std::unique_ptr<internal::Poller> poller_;
  int& polls_;
  std::function<void()>& before_wait_;
};

class WakeupTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventLoop> new_loop(Duration spin = Duration::zero()) {
    internal::LoopParts parts;
    parts.make_poller = [this](const internal::Wakeup& wakeup) {
      eventfd_ = wakeup.fd();
      writes();  // of the eventfd's last loop
      return std::make_unique<CountingPoller>(wakeup, polls, before_wait);
    };
    return internal::LoopAccess::new_loop({.spin = spin}, parts);
  }

  // Since the last time.
  uint64_t writes() {
    uint64_t count = 0;
    if (read(eventfd_, &count, sizeof count) < 0) {
      EXPECT_EQ(errno, EAGAIN);
      return 0;
    }
    return count;
  }

  int polls = 0;
  // In the place where the loop is about to wait.
  std::function<void()> before_wait;

 private:
  int eventfd_ = -1;
};

TEST_F(WakeupTest, OfManyPostsToASleepingLoopOneWritesAndNoneReads) {
  auto loop = new_loop();
  int calls = 0;
  before_wait = [&] {
    std::thread([&] {
      for (int i = 0; i < 1000; ++i) {
        loop->call_soon_threadsafe([&] {
          if (++calls == 1000) loop->stop();
        });
      }
    }).join();
  };
  loop->run_forever();
  EXPECT_EQ(calls, 1000);
  EXPECT_EQ(polls, 1);
  // Were it read by the loop, there would be none left.
  EXPECT_EQ(writes(), 1u);
}

TEST_F(WakeupTest, EachTurnBetweenTwoSleepsIsOneWaitAndOneWrite) {
  constexpr int kTurns = 100;
  auto loop = new_loop();
  int calls = 0;
  before_wait = [&] {
    std::thread([&] {
      loop->call_soon_threadsafe([&] {
        if (++calls == kTurns) loop->stop();
      });
    }).join();
  };
  loop->run_forever();
  EXPECT_EQ(polls, kTurns);
  EXPECT_EQ(writes(), uint64_t{kTurns});
}

TEST_F(WakeupTest, APostToALoopThatIsAwakeWritesNothing) {
  auto loop = new_loop();
  int calls = 0;
  loop->call_soon([&] {
    std::thread([&] {
      loop->call_soon_threadsafe([&] { ++calls; });
      loop->call_soon_threadsafe([&] { loop->stop(); });
    }).join();
  });
  loop->run_forever();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(polls, 0);
  EXPECT_EQ(writes(), 0u);
}

TEST_F(WakeupTest, WhileTheLoopSpinsAPostNeedsNoCallOfTheKernel) {
  constexpr int kRounds = 1000;
  auto loop = new_loop(/*spin=*/Duration::infinite());
  EXPECT_EQ(answered_posts(*loop, kRounds), kRounds);
  EXPECT_EQ(polls, 0);
  EXPECT_EQ(writes(), 0u);
}

// This thread to the first core that the process may use.
void stay_on_one_core() {
  cpu_set_t cores;
  ASSERT_EQ(sched_getaffinity(0, sizeof cores, &cores), 0);
  int core = 0;
  while (!CPU_ISSET(core, &cores)) ++core;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  ASSERT_EQ(sched_setaffinity(0, sizeof cores, &cores), 0);
}

// Who yields gets the core back by his turn, who sleeps at once when he is woken.
TEST_F(WakeupTest, ALoopThatHasToShareItsCoreSleepsRatherThanSpins) {
  auto loop = new_loop(/*spin=*/std::chrono::hours(1));
  bool slept = false;
  before_wait = [&] {
    if (std::exchange(slept, true)) return;
    std::thread([&] {
      loop->call_soon_threadsafe([&] { loop->stop(); });
    }).join();
  };
  std::atomic<bool> over = false;
  std::thread busy([&] {
    stay_on_one_core();
    while (!over) continue;
  });
  // Would spin for an hour.
  std::thread([&] {
    stay_on_one_core();
    loop->run_forever();
  }).join();
  over = true;
  busy.join();
  EXPECT_TRUE(slept);
}

}  // namespace
}  // namespace asyncio
