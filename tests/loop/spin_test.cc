// LoopOptions::spin: whatever ends a sleep ends the spinning before it. Each loop
// here that spins without a limit would hang on what it did not look at.
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>
#include <unistd.h>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

std::unique_ptr<EventLoop> spinning_loop() {
  return new_event_loop({.spin = Duration::infinite()});
}

TEST(SpinTest, IsOffUnlessAskedFor) {
  EXPECT_EQ(LoopOptions().spin, Duration::zero());
}

TEST(SpinTest, APostEndsIt) {
  auto loop = spinning_loop();
  std::atomic<bool> running = false;
  loop->call_soon([&] { running = true; });
  std::thread poster([&] {
    while (!running) std::this_thread::yield();
    loop->call_soon_threadsafe([&] { loop->stop(); });
  });
  loop->run_forever();
  poster.join();
}

TEST(SpinTest, ATimerEndsItAndIsNotEarly) {
  auto loop = spinning_loop();
  const TimePoint due = loop->time() + 2ms;
  loop->call_at(due, [&] { loop->stop(); });
  loop->run_forever();
  EXPECT_GE(loop->time(), due);
}

TEST(SpinTest, ADescriptorEndsIt) {
  auto loop = spinning_loop();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::atomic<bool> running = false;
  loop->call_soon([&] { running = true; });
  char byte = 0;
  loop->add_reader(ends[0], [&] {
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    loop->remove_reader(ends[0]);
    loop->stop();
  });
  std::thread writer([&] {
    while (!running) std::this_thread::yield();
    EXPECT_EQ(write(ends[1], "x", 1), 1);
  });
  loop->run_forever();
  writer.join();
  EXPECT_EQ(byte, 'x');
  close(ends[0]);
  close(ends[1]);
}

TEST(SpinTest, ASignalEndsIt) {
  auto loop = spinning_loop();
  std::atomic<bool> running = false;
  loop->call_soon([&] { running = true; });
  loop->add_signal_handler(SIGUSR1, [&] { loop->stop(); });
  std::thread sender([&] {
    while (!running) std::this_thread::yield();
    kill(getpid(), SIGUSR1);
  });
  loop->run_forever();
  sender.join();
}

// Now the one spins when the other posts, now it sleeps.
TEST(SpinTest, NoPostIsLostWhereSpinningTurnsToSleep) {
  constexpr int kRounds = 20'000;
  auto here = new_event_loop({.spin = 2us});
  auto there = new_event_loop({.spin = 5us});
  std::thread thread([&] { there->run_forever(); });
  int left = kRounds;
  struct Rally {
    EventLoop& here;
    EventLoop& there;
    int& left;
    void serve() {
      there.call_soon_threadsafe([this] {
        here.call_soon_threadsafe([this] {
          if (--left > 0) {
            serve();
          } else {
            here.stop();
          }
        });
      });
    }
  } rally{*here, *there, left};
  rally.serve();
  here->run_forever();
  EXPECT_EQ(left, 0);
  there->call_soon_threadsafe([&] { there->stop(); });
  thread.join();
}

}  // namespace
}  // namespace asyncio
