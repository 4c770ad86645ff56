#include "asyncio/sync/watch.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

ASYNCIO_TEST(WatchTest, LookingDoesNotCountAsSeen) {
  auto [sender, receiver] = Watch<int>(1);
  EXPECT_EQ(receiver.get(), 1);
  EXPECT_FALSE(receiver.has_changed());
  sender.send(2);
  EXPECT_EQ(receiver.get(), 2);
  EXPECT_EQ(*receiver.borrow(), 2);
  EXPECT_TRUE(receiver.has_changed());
  EXPECT_EQ(receiver.get_and_update(), 2);
  EXPECT_FALSE(receiver.has_changed());
  EXPECT_EQ(sender.get(), 2);
  co_return;
}

ASYNCIO_TEST(WatchTest, WakesAllWhoWait) {
  Watch<int> watch(1);
  std::vector<WatchReceiver<int>> receivers(3, watch.receiver);
  EXPECT_EQ(watch.sender.receiver_count(), 4u);
  std::vector<Task<>> waiting;
  for (auto& receiver : receivers)
    waiting.push_back(create_task(receiver.changed()));
  co_await turns();
  watch.sender.send(2);
  EXPECT_FALSE(waiting[0].done());
  for (auto& task : waiting) co_await task;
  for (auto& receiver : receivers) EXPECT_FALSE(receiver.has_changed());
  receivers.clear();
  EXPECT_EQ(watch.sender.receiver_count(), 1u);
}

ASYNCIO_TEST(WatchTest, WhoIsSlowSeesTheLatest) {
  auto [sender, receiver] = Watch<int>(1);
  sender.send(2);
  sender.send(3);
  co_await receiver.changed();
  EXPECT_EQ(receiver.get(), 3);
  EXPECT_FALSE(receiver.has_changed());
}

ASYNCIO_TEST(WatchTest, WhatIsNotSeenIsGivenBeforeTheEnd) {
  auto [sender, receiver] = Watch<int>(1);
  sender.send(2);
  sender = {};
  EXPECT_TRUE(receiver.is_closed());
  co_await receiver.changed();
  EXPECT_EQ(co_await ending(receiver.changed()), "ChannelClosed");
  EXPECT_EQ(receiver.get(), 2);
}

ASYNCIO_TEST(WatchTest, TheLastSenderThatGoesEndsTheWaits) {
  Watch<int> watch(1);
  auto other = watch.sender;
  auto waiting = create_task(ending(watch.receiver.changed()));
  co_await turns();
  watch.sender = {};
  co_await turns();
  EXPECT_FALSE(waiting.done());
  other = {};
  EXPECT_EQ(co_await waiting, "ChannelClosed");
}

ASYNCIO_TEST(WatchTest, ACopySawWhatTheOtherSawAndASubscriberTheLatest) {
  Watch<int> watch(1);
  watch.sender.send(2);
  auto copy = watch.receiver;
  auto subscriber = watch.sender.subscribe();
  EXPECT_TRUE(copy.has_changed());
  EXPECT_FALSE(subscriber.has_changed());
  EXPECT_EQ(copy.get_and_update(), 2);
  EXPECT_TRUE(watch.receiver.has_changed());
  co_return;
}

ASYNCIO_TEST(WatchTest, AValueIsKeptWithoutReceivers) {
  Watch<int> watch(1);
  watch.receiver = {};
  EXPECT_EQ(watch.sender.receiver_count(), 0u);
  watch.sender.send(2);
  EXPECT_EQ(watch.sender.subscribe().get(), 2);
  co_return;
}

ASYNCIO_TEST(WatchTest, WhatWasBorrowedStaysAsItIs) {
  Watch<std::unique_ptr<int>> watch(std::make_unique<int>(1));
  const auto borrowed = watch.receiver.borrow();
  watch.sender.send(std::make_unique<int>(2));
  EXPECT_EQ(**borrowed, 1);
  EXPECT_EQ(**watch.receiver.borrow(), 2);
  co_return;
}

ASYNCIO_TEST(WatchTest, AChangeThatThrowsIsNone) {
  auto [sender, receiver] = Watch<std::string>("old");
  auto fail = [](std::string& value) {
    value = "half";
    throw std::runtime_error("no");
  };
  EXPECT_THROW(sender.send_modify(fail), std::runtime_error);
  EXPECT_FALSE(receiver.has_changed());
  EXPECT_EQ(receiver.get(), "old");
  sender.send_modify([](std::string& value) { value += " and new"; });
  EXPECT_EQ(receiver.get_and_update(), "old and new");
  co_return;
}

// Its move throws when asked to.
class Touchy {
 public:
  explicit Touchy(int value) : value(value) {}
  Touchy(Touchy&& other) : value(other.value) {
    if (armed > 0 && --armed == 0) throw std::runtime_error("touchy");
  }
  int value;
  static inline int armed = 0;
};

ASYNCIO_TEST(WatchTest, AValueWhoseMoveThrowsIsNotSent) {
  Watch<Touchy> watch(Touchy(1));
  Touchy value(2);
  Touchy::armed = 1;
  EXPECT_THROW(watch.sender.send(std::move(value)), std::runtime_error);
  EXPECT_FALSE(watch.receiver.has_changed());
  EXPECT_EQ(watch.receiver.borrow()->value, 1);
  co_return;
}

TEST(CancelWatchTest, ACancelledWaitMissesNothing) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Watch<int> watch(1);
    bool seen = false;
    scene.start([&]() -> Coroutine<> {
      co_await watch.receiver.changed();
      seen = true;
    });
    co_await sleep(0s);
    watch.sender.send(2);
    auto end = co_await scene.ended();
    EXPECT_EQ(watch.receiver.has_changed(), !seen);
    if (!seen) co_await watch.receiver.changed();
    EXPECT_EQ(watch.receiver.get(), 2);
  });
}

TEST(CancelWatchTest, OthersAreWokenAsEver) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Watch<int> watch(1);
    auto before = watch.receiver;
    auto after = watch.receiver;
    auto first = create_task(before.changed());
    scene.start([&]() -> Coroutine<> { co_await watch.receiver.changed(); });
    co_await sleep(0s);
    auto last = create_task(after.changed());
    co_await sleep(1s);
    watch.sender.send(2);
    auto end = co_await scene.ended();
    co_await first;
    co_await last;
  });
}

TEST(WatchThreadsTest, ALoopThatGoesWithAWaitingTaskIsPassedOver) {
  for (const bool woken : {false, true}) {
    Watch<int> watch(1);
    auto mine = watch.receiver;
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    auto wait = [&]() -> Coroutine<> { co_await watch.receiver.changed(); };
    auto task = create_task(*loop, wait());
    loop->call_soon([&] { loop->stop(); });
    loop->run_forever();
    if (woken) watch.sender.send(2);
    loop->close();
    if (!woken) watch.sender.send(2);
    EXPECT_EQ(mine.get_and_update(), 2);
    task = {};
    loop = nullptr;
    watch.sender.send(3);
    EXPECT_EQ(mine.get(), 3);
  }
}

// Every receiver sees versions that only get newer, and the last one, while its
// waits are cancelled at random.
TEST(WatchThreadsTest, ManyLoopsSeeTheLastValue) {
  constexpr int kSenders = 2;
  constexpr int kChanges = 20000;
  Watch<int> watch(0);
  std::vector<std::thread> threads;
  for (int c = 0; c < 3; ++c) {
    threads.emplace_back([c, receiver = watch.receiver]() mutable {
      run([&]() -> Coroutine<> {
        Random random(static_cast<uint64_t>(c + 1));
        int latest = 0;
        auto other = receiver;
        auto follow = [&]() -> Coroutine<> {
          std::string end;
          while (end.empty()) end = co_await ending(other.changed());
          EXPECT_EQ(end, "ChannelClosed");
        };
        auto follower = create_task(follow());
        std::string end;
        while (end != "ChannelClosed") {
          auto task = create_task(receiver.changed());
          if (random.below(4) == 0) {
            co_await turns(static_cast<int>(random.below(3)));
            task.cancel();
          }
          end = co_await ending(task);
          if (!end.empty()) continue;
          const int value = receiver.get();
          EXPECT_GE(value, latest);
          latest = value;
        }
        EXPECT_EQ(latest, kSenders * kChanges);
        EXPECT_EQ(other.get(), kSenders * kChanges);
        co_await follower;
      });
    });
  }
  watch.receiver = {};
  for (int s = 0; s < kSenders; ++s) {
    threads.emplace_back([s, sender = watch.sender] {
      auto change = [](int& value) { ++value; };
      if (s == 0) {
        for (int i = 0; i < kChanges; ++i) sender.send_modify(change);
        return;
      }
      run([&]() -> Coroutine<> {
        for (int i = 0; i < kChanges; ++i) {
          sender.send_modify(change);
          if (i % 16 == 0) co_await turns();
        }
      });
    });
  }
  watch.sender = {};
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace asyncio
