#include "asyncio/sync/channel.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/benchmarks/internal/allocations.h"
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

ASYNCIO_TEST(ChannelTest, WithoutRoomForAnythingIsAValueError) {
  EXPECT_THROW(Channel<int>(0), ValueError);
  co_return;
}

ASYNCIO_TEST(ChannelTest, PassesItemsInOrderAndEndsWhenItsSendersAreGone) {
  auto [sender, receiver] = Channel<int>(2);
  auto produce = [](ChannelSender<int> to) -> Coroutine<> {
    for (int i = 0; i < 5; ++i) co_await to.send(i);
  };
  auto producer = create_task(produce(std::move(sender)));
  std::vector<int> got;
  while (auto item = co_await receiver.recv()) got.push_back(*item);
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(receiver.is_closed());
  co_await producer;
}

ASYNCIO_TEST(ChannelTest, AClosedOneIsDrainedAndTakesNothing) {
  Channel<int> channel(2);
  co_await channel.sender.send(1);
  channel.receiver.close();
  EXPECT_EQ(co_await ending(channel.sender.send(2)), "ChannelClosed");
  EXPECT_THROW(channel.sender.try_send(2), ChannelClosed);
  EXPECT_EQ(co_await channel.receiver.recv(), 1);
  EXPECT_EQ(co_await channel.receiver.recv(), std::nullopt);
}

ASYNCIO_TEST(ChannelTest, ClosingEndsWaitsAtBothEnds) {
  Channel<int> empty(1);
  Channel<int> full(1);
  co_await full.sender.send(1);
  auto receiving = create_task(empty.receiver.recv());
  auto sending = create_task(ending(full.sender.send(2)));
  co_await turns();
  empty.sender.close();
  full.sender.close();
  EXPECT_EQ(co_await receiving, std::nullopt);
  EXPECT_EQ(co_await sending, "ChannelClosed");
}

ASYNCIO_TEST(ChannelTest, WithoutReceiversItsItemsGo) {
  Channel<std::shared_ptr<int>> channel(2);
  auto item = std::make_shared<int>(1);
  co_await channel.sender.send(item);
  channel.receiver = {};
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(co_await ending(channel.sender.send(item)), "ChannelClosed");
}

ASYNCIO_TEST(ChannelTest, AWaitingReceiverOutlivesItsHandle) {
  Channel<int> channel(1);
  auto receiving = create_task(channel.receiver.recv());
  co_await turns();
  channel.receiver = {};
  co_await channel.sender.send(7);
  EXPECT_EQ(co_await receiving, 7);
  EXPECT_TRUE(channel.sender.is_closed());
}

ASYNCIO_TEST(ChannelTest, ServesTheLineInOrderAndNobodyOvertakes) {
  Channel<int> channel(2);
  auto first = create_task(channel.receiver.recv());
  auto second = create_task(channel.receiver.recv());
  co_await turns();
  EXPECT_TRUE(channel.sender.try_send(1));
  EXPECT_EQ(channel.receiver.try_recv(), std::nullopt);
  EXPECT_TRUE(channel.sender.try_send(2));
  EXPECT_FALSE(channel.sender.try_send(3));
  EXPECT_EQ(co_await first, 1);
  EXPECT_EQ(co_await second, 2);
}

ASYNCIO_TEST(ChannelTest, AnItemThatFindsNoRoomStaysWhereItIs) {
  Channel<std::unique_ptr<int>> channel(1);
  auto item = std::make_unique<int>(1);
  EXPECT_TRUE(channel.sender.try_send(std::move(item)));
  item = std::make_unique<int>(2);
  EXPECT_FALSE(channel.sender.try_send(std::move(item)));
  CO_ASSERT_TRUE(item != nullptr);
  auto got = co_await channel.receiver.recv();
  EXPECT_EQ(**got, 1);
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

ASYNCIO_TEST(ChannelTest, AnItemWhoseMoveThrowsIsNotLost) {
  Channel<Touchy> channel(2);
  CO_ASSERT_TRUE(channel.sender.try_send(1));
  Touchy::armed = 1;
  EXPECT_EQ(co_await ending(channel.receiver.recv()), "runtime_error");
  EXPECT_EQ(channel.receiver.size(), 1u);
  Touchy::armed = 0;
  auto got = co_await channel.receiver.recv();
  EXPECT_EQ(got->value, 1);
}

// Taking an item moves it once, so that there is no second move to lose it by.
ASYNCIO_TEST(ChannelTest, AnItemIsMovedOnceOnItsWayOut) {
  Channel<Touchy> channel(2);
  CO_ASSERT_TRUE(channel.sender.try_send(1));
  Touchy::armed = 2;
  auto tried = channel.receiver.try_recv();
  EXPECT_EQ(Touchy::armed, 1);
  Touchy::armed = 0;
  CO_ASSERT_TRUE(channel.sender.try_send(2));
  Touchy::armed = 2;
  auto got = co_await channel.receiver.recv();
  EXPECT_EQ(Touchy::armed, 1);
  Touchy::armed = 0;
  EXPECT_EQ(tried->value, 1);
  EXPECT_EQ(got->value, 2);
}

TEST(CancelChannelTest, ACancelledReceiverLosesNothing) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Channel<int> channel(1);
    std::vector<int> got;
    scene.start([&]() -> Coroutine<> {
      auto item = co_await channel.receiver.recv();
      if (item) got.push_back(*item);
    });
    co_await sleep(0s);
    channel.sender.try_send(1);
    auto end = co_await scene.ended();
    if (auto item = channel.receiver.try_recv()) got.push_back(*item);
    EXPECT_EQ(got, std::vector<int>{1});
  });
}

TEST(CancelChannelTest, TheNextInLineReceivesForOneThatIsCancelled) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Channel<int> channel(1);
    scene.start([&]() -> Coroutine<> { co_await channel.receiver.recv(); });
    auto next = create_task(channel.receiver.recv());
    co_await sleep(1s);
    channel.sender.try_send(1);
    auto end = co_await scene.ended();
    if (!end.cancelled()) co_await channel.sender.send(1);
    EXPECT_EQ(co_await next, 1);
  });
}

TEST(CancelChannelTest, TheNextInLineSendsForOneThatIsCancelled) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Channel<int> channel(1);
    channel.sender.try_send(0);
    scene.start([&]() -> Coroutine<> { co_await channel.sender.send(1); });
    auto next = create_task(channel.sender.send(2));
    co_await sleep(1s);
    std::vector<int> got{*channel.receiver.try_recv()};
    auto end = co_await scene.ended();
    if (!end.cancelled()) got.push_back(*co_await channel.receiver.recv());
    co_await next;
    got.push_back(*co_await channel.receiver.recv());
    EXPECT_EQ(got, end.cancelled() ? (std::vector<int>{0, 2})
                                   : (std::vector<int>{0, 1, 2}));
  });
}

// Tasks come, wait, are cancelled in a random order; a deque knows what must be
// in the channel.
ASYNCIO_TEST(ChannelTest, AgreesWithAPlainModel) {
  Random random(7);
  Channel<int> channel(3);
  int sent = 0;
  std::vector<int> accepted;
  std::vector<int> received;
  auto send = [&](int item) -> Coroutine<> {
    co_await channel.sender.send(item);
    accepted.push_back(item);
  };
  auto receive = [&]() -> Coroutine<> {
    auto item = co_await channel.receiver.recv();
    if (item) received.push_back(*item);
  };
  std::deque<Task<>> tasks;
  for (int i = 0; i < 20'000; ++i) {
    switch (random.below(6)) {
      case 0:
      case 1:
        tasks.push_back(create_task(send(sent++)));
        break;
      case 2:
      case 3:
        tasks.push_back(create_task(receive()));
        break;
      case 4:
        if (!tasks.empty()) tasks[random.below(tasks.size())].cancel();
        break;
      default:
        co_await turns();
    }
    if (tasks.size() > 30) {
      tasks.front().cancel();
      tasks.pop_front();
    }
  }
  for (auto& task : tasks) task.cancel();
  co_await turns(3);
  while (auto item = channel.receiver.try_recv()) received.push_back(*item);
  EXPECT_EQ(received, accepted);
  EXPECT_GT(received.size(), 1000u);
}

ASYNCIO_TEST(ChannelTest, ASteadyFlowAllocatesNothing) {
  Channel<int> channel(1);
  bool stop = false;
  auto produce = [&]() -> Coroutine<> {
    while (!stop) co_await channel.sender.send(1);
    channel.sender.close();
  };
  auto producer = create_task(produce());
  for (int i = 0; i < 100; ++i) co_await channel.receiver.recv();
  const int64_t before = benchmarks::allocations();
  for (int i = 0; i < 1000; ++i) co_await channel.receiver.recv();
  EXPECT_EQ(benchmarks::allocations() - before, 0);
  stop = true;
  while (auto rest = co_await channel.receiver.recv()) {
  }
  co_await producer;
}

TEST(ChannelThreadsTest, AThreadMayWaitAtEitherEnd) {
  Channel<int> there(1);
  Channel<int> back(1);
  std::thread thread([receiver = there.receiver, sender = back.sender] {
    while (auto item = receiver.recv_blocking())
      sender.send_blocking(*item + 1);
  });
  run([&]() -> Coroutine<> {
    for (int i = 0; i < 200; ++i) {
      co_await there.sender.send(i);
      EXPECT_EQ(co_await back.receiver.recv(), i + 1);
    }
    there.sender.close();
  });
  thread.join();
}

TEST(ChannelThreadsTest, ABlockedThreadGivesUpAfterItsTimeout) {
  Channel<int> channel(1);
  EXPECT_THROW(channel.receiver.recv_blocking(1ms), TimeoutError);
  channel.sender.send_blocking(1);
  int two = 2;
  EXPECT_THROW(channel.sender.send_blocking(two, 1ms), TimeoutError);
  EXPECT_EQ(channel.receiver.recv_blocking(1ms), 1);
}

ASYNCIO_TEST(ChannelTest, ALoopsThreadIsNotBlocked) {
  Channel<int> channel(1);
  EXPECT_THROW(channel.receiver.recv_blocking(), RuntimeError);
  co_await channel.sender.send(1);
  EXPECT_EQ(channel.receiver.recv_blocking(), 1);
}

// Its task waits for ever: others are served in its place.
TEST(ChannelThreadsTest, ALoopThatGoesWithATaskInLineHandsItsTurnOn) {
  Channel<int> channel(1);
  for (const bool woken : {false, true}) {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    auto receive = [&]() -> Coroutine<> { co_await channel.receiver.recv(); };
    auto task = create_task(*loop, receive());
    loop->call_soon([&] { loop->stop(); });
    loop->run_forever();
    if (woken) channel.sender.try_send(1);
    loop->close();
    if (!woken) channel.sender.try_send(1);
    EXPECT_EQ(channel.receiver.try_recv(), 1);
    loop = nullptr;
  }
}

// Items of each producer arrive once and in its order, while consumers are
// cancelled at random.
TEST(ChannelThreadsTest, ManyLoopsAndThreadsLoseNothing) {
  constexpr int kProducers = 3;
  constexpr int kItems = 2000;
  for (const size_t capacity : {1, 4, 64}) {
    Channel<std::pair<int, int>> channel(capacity);
    std::vector<std::thread> threads;
    for (int p = 0; p < kProducers; ++p) {
      threads.emplace_back([p, sender = channel.sender] {
        if (p == 0) {
          for (int i = 0; i < kItems; ++i)
            sender.send_blocking(std::pair(p, i));
          return;
        }
        run([&]() -> Coroutine<> {
          for (int i = 0; i < kItems; ++i) {
            const std::pair<int, int> item(p, i);
            co_await sender.send(item);
          }
        });
      });
    }
    channel.sender = {};
    std::vector<std::vector<std::pair<int, int>>> got(3);
    for (int c = 0; c < 3; ++c) {
      threads.emplace_back([c, receiver = channel.receiver, &mine = got[c]] {
        if (c == 0) {
          while (auto item = receiver.recv_blocking()) mine.push_back(*item);
          return;
        }
        run([&]() -> Coroutine<> {
          Random random(static_cast<uint64_t>(c));
          bool open = true;
          auto receive = [&]() -> Coroutine<> {
            auto item = co_await receiver.recv();
            if (item) {
              mine.push_back(*item);
            } else {
              open = false;
            }
          };
          while (open) {
            auto task = create_task(receive());
            if (random.below(4) == 0) {
              co_await turns(static_cast<int>(random.below(3)));
              task.cancel();
            }
            std::string end = co_await ending(task);
          }
        });
      });
    }
    channel.receiver = {};
    for (auto& thread : threads) thread.join();
    std::vector<std::vector<int>> seen(kProducers, std::vector<int>(kItems, 0));
    for (const auto& mine : got) {
      std::vector<int> last(kProducers, -1);
      for (const auto& [p, i] : mine) {
        EXPECT_LT(last[p], i);
        last[p] = i;
        ++seen[p][i];
      }
    }
    EXPECT_EQ(seen, std::vector<std::vector<int>>(kProducers,
                                                  std::vector<int>(kItems, 1)));
  }
}

}  // namespace
}  // namespace asyncio
