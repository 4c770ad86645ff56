#include "asyncio/sync/oneshot.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/channel.h"
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

ASYNCIO_TEST(OneshotTest, PassesOneValueOnce) {
  auto [sender, receiver] = Oneshot<std::unique_ptr<int>>();
  EXPECT_FALSE(sender.is_closed());
  EXPECT_EQ(receiver.try_recv(), std::nullopt);
  EXPECT_TRUE(sender.send(std::make_unique<int>(7)));
  EXPECT_TRUE(sender.is_closed());
  auto second = std::make_unique<int>(8);
  EXPECT_FALSE(sender.send(std::move(second)));
  CO_ASSERT_TRUE(second != nullptr);
  auto got = co_await receiver.recv();
  EXPECT_EQ(*got, 7);
  EXPECT_EQ(co_await ending(receiver.recv()), "ChannelClosed");
}

ASYNCIO_TEST(OneshotTest, WakesWhoWaits) {
  Oneshot<int> oneshot;
  auto receiving = create_task(oneshot.receiver.recv());
  co_await turns();
  EXPECT_NE(to_string(receiving).find("wait_for=<Oneshot.recv>"),
            std::string::npos);
  EXPECT_TRUE(oneshot.sender.send(7));
  EXPECT_FALSE(receiving.done());
  EXPECT_EQ(oneshot.receiver.try_recv(), std::nullopt);
  EXPECT_EQ(co_await receiving, 7);
}

ASYNCIO_TEST(OneshotTest, OfSeveralWaitsTheFirstGetsIt) {
  Oneshot<int> oneshot;
  auto first = create_task(oneshot.receiver.recv());
  auto second = create_task(ending(oneshot.receiver.recv()));
  co_await turns();
  EXPECT_TRUE(oneshot.sender.send(7));
  EXPECT_EQ(co_await first, 7);
  EXPECT_EQ(co_await second, "ChannelClosed");
}

ASYNCIO_TEST(OneshotTest, ASenderThatGoesEndsTheWait) {
  Oneshot<int> oneshot;
  auto receiving = create_task(ending(oneshot.receiver.recv()));
  co_await turns();
  oneshot.sender = {};
  EXPECT_EQ(co_await receiving, "ChannelClosed");
  EXPECT_EQ(co_await ending(oneshot.receiver.recv()), "ChannelClosed");
}

ASYNCIO_TEST(OneshotTest, WhatWasSentOutlivesItsSender) {
  Oneshot<int> oneshot;
  EXPECT_TRUE(oneshot.sender.send(7));
  oneshot.sender = {};
  EXPECT_EQ(co_await oneshot.receiver.recv(), 7);
}

ASYNCIO_TEST(OneshotTest, WithoutAReceiverTheValueStaysWithItsSender) {
  Oneshot<std::unique_ptr<int>> oneshot;
  oneshot.receiver = {};
  auto value = std::make_unique<int>(7);
  EXPECT_TRUE(oneshot.sender.is_closed());
  EXPECT_FALSE(oneshot.sender.send(std::move(value)));
  EXPECT_TRUE(value != nullptr);
  co_return;
}

ASYNCIO_TEST(OneshotTest, AValueThatNobodyReceivedGoesWithTheReceiver) {
  Oneshot<std::shared_ptr<int>> oneshot;
  auto value = std::make_shared<int>(7);
  EXPECT_TRUE(oneshot.sender.send(value));
  EXPECT_EQ(value.use_count(), 2);
  oneshot.receiver = {};
  EXPECT_EQ(value.use_count(), 1);
  co_return;
}

ASYNCIO_TEST(OneshotTest, ClosingRefusesAValueAndKeepsOneThatWasSent) {
  Oneshot<int> early;
  early.receiver.close();
  EXPECT_FALSE(early.sender.send(7));
  EXPECT_EQ(co_await ending(early.receiver.recv()), "ChannelClosed");
  Oneshot<int> late;
  EXPECT_TRUE(late.sender.send(7));
  late.receiver.close();
  EXPECT_EQ(co_await late.receiver.recv(), 7);
}

ASYNCIO_TEST(OneshotTest, AWaitOutlivesItsReceiver) {
  Oneshot<int> oneshot;
  auto receiving = create_task(oneshot.receiver.recv());
  co_await turns();
  oneshot.receiver = {};
  EXPECT_TRUE(oneshot.sender.send(7));
  EXPECT_EQ(co_await receiving, 7);
}

// Its move throws when asked to.
class Touchy {
 public:
  explicit Touchy(int value) : value(value) {}
  Touchy(Touchy&& other) : value(other.value) {
    if (armed > 0 && --armed == 0) throw std::runtime_error("touchy");
    other.value = 0;
  }
  int value;
  static inline int armed = 0;
};

ASYNCIO_TEST(OneshotTest, AValueWhoseMoveThrowsIsNotLost) {
  Oneshot<Touchy> oneshot;
  Touchy value(1);
  Touchy::armed = 1;
  EXPECT_THROW(oneshot.sender.send(std::move(value)), std::runtime_error);
  EXPECT_EQ(value.value, 1);
  EXPECT_TRUE(oneshot.sender.send(std::move(value)));
  Touchy::armed = 1;
  EXPECT_EQ(co_await ending(oneshot.receiver.recv()), "runtime_error");
  Touchy::armed = 1;
  EXPECT_THROW(oneshot.receiver.try_recv(), std::runtime_error);
  // Two moves would lose it.
  Touchy::armed = 2;
  auto got = oneshot.receiver.try_recv();
  Touchy::armed = 0;
  CO_ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->value, 1);
}

TEST(CancelOneshotTest, ACancelledReceiverLosesNothing) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Oneshot<int> oneshot;
    std::vector<int> got;
    scene.start([&]() -> Coroutine<> {
      const int value = co_await oneshot.receiver.recv();
      got.push_back(value);
    });
    co_await sleep(0s);
    EXPECT_TRUE(oneshot.sender.send(1));
    auto end = co_await scene.ended();
    if (auto value = oneshot.receiver.try_recv()) got.push_back(*value);
    EXPECT_EQ(got, std::vector<int>{1});
  });
}

TEST(CancelOneshotTest, TheNextWaitReceivesForOneThatIsCancelled) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Oneshot<int> oneshot;
    scene.start([&]() -> Coroutine<> { co_await oneshot.receiver.recv(); });
    auto next = create_task(ending(oneshot.receiver.recv()));
    co_await sleep(1s);
    EXPECT_TRUE(oneshot.sender.send(1));
    auto end = co_await scene.ended();
    EXPECT_EQ(co_await next, end.cancelled() ? "" : "ChannelClosed");
  });
}

TEST(OneshotThreadsTest, AThreadMayWaitForIt) {
  auto [sender, receiver] = Oneshot<int>();
  std::thread thread([receiver = std::move(receiver)] {
    EXPECT_EQ(receiver.recv_blocking(), 7);
    EXPECT_THROW(receiver.recv_blocking(), ChannelClosed);
  });
  EXPECT_TRUE(sender.send(7));
  thread.join();
}

TEST(OneshotThreadsTest, ABlockedThreadGivesUpAfterItsTimeout) {
  Oneshot<int> oneshot;
  EXPECT_THROW(oneshot.receiver.recv_blocking(1ms), TimeoutError);
  EXPECT_TRUE(oneshot.sender.send(1));
  EXPECT_EQ(oneshot.receiver.recv_blocking(1ms), 1);
}

ASYNCIO_TEST(OneshotTest, ALoopsThreadIsNotBlocked) {
  Oneshot<int> oneshot;
  EXPECT_THROW(oneshot.receiver.recv_blocking(), RuntimeError);
  co_return;
}

// Each request takes its way back with it. Waits are cancelled at random, while
// their reply is on its way.
TEST(OneshotThreadsTest, RepliesBetweenLoopsAreNotLost) {
  struct Request {
    int number;
    OneshotSender<int> reply;
  };
  constexpr int kRequests = 1000;
  Channel<Request> requests(8);
  std::vector<std::thread> threads;
  for (int s = 0; s < 2; ++s) {
    threads.emplace_back([receiver = requests.receiver] {
      run([&]() -> Coroutine<> {
        while (auto request = co_await receiver.recv()) {
          if (request->number % 10 != 0) {
            EXPECT_TRUE(request->reply.send(request->number + 1));
          }
        }
      });
    });
  }
  for (int c = 0; c < 2; ++c) {
    threads.emplace_back([c, sender = requests.sender] {
      run([&]() -> Coroutine<> {
        Random random(static_cast<uint64_t>(c + 1));
        for (int i = 0; i < kRequests; ++i) {
          Oneshot<int> oneshot;
          Request request{i, std::move(oneshot.sender)};
          co_await sender.send(std::move(request));
          std::optional<int> got;
          auto receive = [&]() -> Coroutine<> {
            const int value = co_await oneshot.receiver.recv();
            got = value;
          };
          auto task = create_task(receive());
          if (random.below(2) == 0) {
            co_await turns(static_cast<int>(random.below(3)));
            task.cancel();
          }
          const std::string end = co_await ending(task);
          if (end == "CancelledError") {
            auto again = create_task(receive());
            const std::string last = co_await ending(again);
          }
          EXPECT_EQ(got,
                    i % 10 == 0 ? std::nullopt : std::optional<int>(i + 1));
        }
      });
    });
  }
  requests.sender = {};
  requests.receiver = {};
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace asyncio
