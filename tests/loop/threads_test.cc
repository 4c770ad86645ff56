// Posts of other threads: none is lost, none is late, and a thread that is late
// itself hits nothing that is gone.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/tests/loop/answered_posts.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

constexpr int kThreads = 4;
// A sanitizer makes a post some fifty times slower; what it looks for is seen
// in fewer.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kPosts = 50'000;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
constexpr int kPosts = 50'000;
#else
constexpr int kPosts = 1'000'000;
#endif
#else
constexpr int kPosts = 1'000'000;
#endif

TEST(ThreadsTest, FourThreadsPostAMillionEachAndNoneIsLostOrOutOfOrder) {
  auto loop = new_event_loop();
  std::vector<int> next(kThreads, 0);
  int out_of_order = 0;
  int64_t calls = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop->call_soon_threadsafe([&, t, i] {
          if (next[static_cast<size_t>(t)]++ != i) ++out_of_order;
          if (++calls == int64_t{kThreads} * kPosts) loop->stop();
        });
      }
    });
  }
  loop->run_forever();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(calls, int64_t{kThreads} * kPosts);
  EXPECT_EQ(out_of_order, 0);
}

// Each post meets a loop that is about to sleep, sleeps or has just woken.
TEST(ThreadsTest, EachSinglePostEndsTheWait) {
  constexpr int kRounds = kPosts / 20;
  auto loop = new_event_loop();
  EXPECT_EQ(answered_posts(*loop, kRounds), kRounds);
}

using BusyLoopTest = LoopFixture;
TEST_F(BusyLoopTest, APostIsInTheNextBatch) {
  run_busy(5, [this](int batch) {
    if (batch != 2 && batch != 3) return;
    std::thread([this] {
      loop.call_soon_threadsafe(note("a"));
      loop.call_soon_threadsafe(note("b"));
    }).join();
  });
  EXPECT_EQ(log, "123ab4ab5");
}

TEST(ThreadsTest, PostsBeforeTheRunAreTakenInOneIteration) {
  auto loop = new_event_loop();
  int calls = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        loop->call_soon_threadsafe([&] { ++calls; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop->stop();
  loop->run_forever();
  EXPECT_EQ(calls, kThreads * 1000);
}

TEST(ThreadsTest, ThreadMayStillBePostingWhenItsPostEndsTheLoop) {
  for (int i = 0; i < 2000; ++i) {
    auto loop = new_event_loop();
    EventLoop* raw = loop.get();
    std::thread poster(
        [raw] { raw->call_soon_threadsafe([raw] { raw->stop(); }); });
    loop->run_forever();
    loop = nullptr;  // the thread may not have left call_soon_threadsafe()
    poster.join();
  }
}

TEST(ThreadsTest, PostsThatRaceWithCloseAreRunRefusedOrDestroyed) {
  for (int i = 0; i < 50; ++i) {
    auto loop = new_event_loop();
    auto token = std::make_shared<int>();
    std::atomic<bool> posting = false;
    std::thread poster([&loop, &posting, copy = token] {
      try {
        while (true) {
          loop->call_soon_threadsafe([copy] {});
          posting = true;
        }
      } catch (const std::exception& e) {
        EXPECT_STREQ(e.what(), "Event loop is closed");
      }
    });
    while (!posting) std::this_thread::yield();
    loop->stop();
    loop->run_forever();
    loop->close();
    poster.join();
    loop = nullptr;
    EXPECT_EQ(token.use_count(), 1);
  }
}

TEST(ThreadsTest, TwoLoopsPlayPingPong) {
  constexpr int kRounds = 5000;
  auto here = new_event_loop();
  auto there = new_event_loop();
  int pings = 0;
  int pongs = 0;
  std::function<void()> ping = [&] {
    ++pings;
    there->call_soon_threadsafe([&] {
      ++pongs;
      if (pongs == kRounds) {
        there->stop();
        here->call_soon_threadsafe([&] { here->stop(); });
      } else {
        here->call_soon_threadsafe(std::ref(ping));
      }
    });
  };
  std::thread other([&] { there->run_forever(); });
  here->call_soon(std::ref(ping));
  here->run_forever();
  other.join();
  EXPECT_EQ(pings, kRounds);
  EXPECT_EQ(pongs, kRounds);
}

TEST(ThreadsTest, CancelFromAnotherThreadRacesWithTheCall) {
  constexpr int kRounds = kPosts / 50;
  auto loop = new_event_loop();
  int calls = 0;
  std::thread poster([&] {
    for (int i = 0; i < kRounds; ++i) {
      Handle handle = loop->call_soon_threadsafe(
          [&calls, text = std::make_unique<int>(1)] { calls += *text; });
      if (i % 2 == 0) std::this_thread::yield();
      handle.cancel();
    }
    loop->call_soon_threadsafe([&] { loop->stop(); });
  });
  loop->run_forever();
  poster.join();
  EXPECT_LE(calls, kRounds);
}

}  // namespace
}  // namespace asyncio
