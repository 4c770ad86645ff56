#include "asyncio/sync/broadcast.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/sync/internal/channel_core.h"
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

// What try_recv() of a receiver that lagged says it missed; 0 where it did not.
template <class T>
uint64_t missed_by(const BroadcastReceiver<T>& receiver) {
  try {
    receiver.try_recv();
  } catch (const Lagged& lagged) {
    return lagged.missed();
  }
  return 0;
}

TEST(BroadcastBasicsTest, WithoutRoomForAnythingIsAValueError) {
  EXPECT_THROW(Broadcast<int>(0), ValueError);
}

ASYNCIO_TEST(BroadcastTest, EachReceiverSeesEveryItemSentAfterIt) {
  auto [sender, first] = Broadcast<int>(4);
  EXPECT_EQ(sender.send(1), 1u);
  auto second = sender.subscribe();
  EXPECT_EQ(sender.receiver_count(), 2u);
  EXPECT_EQ(sender.send(2), 2u);
  sender = {};
  EXPECT_EQ(co_await first.recv(), 1);
  EXPECT_EQ(co_await first.recv(), 2);
  EXPECT_EQ(co_await first.recv(), std::nullopt);
  EXPECT_EQ(co_await second.recv(), 2);
  EXPECT_EQ(co_await second.recv(), std::nullopt);
}

ASYNCIO_TEST(BroadcastTest, ASlowReceiverLearnsHowManyItMissed) {
  Broadcast<int> broadcast(2);
  for (int i = 0; i < 5; ++i) broadcast.sender.send(i);
  EXPECT_EQ(co_await ending(broadcast.receiver.recv()), "Lagged");
  broadcast.sender.send(5);
  EXPECT_EQ(missed_by(broadcast.receiver), 1u);
  EXPECT_EQ(co_await broadcast.receiver.recv(), 4);
  EXPECT_EQ(co_await broadcast.receiver.recv(), 5);
  EXPECT_EQ(broadcast.receiver.try_recv(), std::nullopt);
}

ASYNCIO_TEST(BroadcastTest, OneItemAndTheEndWakeEverybody) {
  Broadcast<int> broadcast(1);
  auto other = broadcast.sender.subscribe();
  auto a = create_task(broadcast.receiver.recv());
  auto b = create_task(other.recv());
  co_await turns();
  broadcast.sender.send(7);
  EXPECT_EQ(co_await a, 7);
  EXPECT_EQ(co_await b, 7);
  auto end = create_task(other.recv());
  co_await turns();
  broadcast.sender.close();
  EXPECT_EQ(co_await end, std::nullopt);
  EXPECT_THROW(broadcast.sender.send(8), ChannelClosed);
}

ASYNCIO_TEST(BroadcastTest, OneReceiverServesOneAtATime) {
  Broadcast<int> broadcast(1);
  auto task = create_task(broadcast.receiver.recv());
  co_await turns();
  EXPECT_EQ(co_await ending(broadcast.receiver.recv()), "RuntimeError");
  EXPECT_THROW(broadcast.receiver.try_recv(), RuntimeError);
  broadcast.sender.send(1);
  EXPECT_EQ(co_await task, 1);
}

ASYNCIO_TEST(BroadcastTest, WithoutReceiversItsItemsGo) {
  Broadcast<std::shared_ptr<int>> broadcast(2);
  auto item = std::make_shared<int>(1);
  broadcast.sender.send(item);
  broadcast.receiver = {};
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(broadcast.sender.send(item), 0u);
  auto late = broadcast.sender.subscribe();
  EXPECT_EQ(late.try_recv(), std::nullopt);
  co_return;
}

class Touchy {
 public:
  explicit Touchy(int value) : value(value) {}
  Touchy(Touchy&&) = default;
  Touchy(const Touchy& other) : value(other.value) {
    if (std::exchange(armed, false)) throw std::runtime_error("touchy");
  }
  int value;
  static inline bool armed = false;
};

ASYNCIO_TEST(BroadcastTest, AnItemWhoseCopyThrowsIsGivenAgain) {
  Broadcast<Touchy> broadcast(2);
  broadcast.sender.send(Touchy(1));
  Touchy::armed = true;
  EXPECT_EQ(co_await ending(broadcast.receiver.recv()), "runtime_error");
  auto got = co_await broadcast.receiver.recv();
  EXPECT_EQ(got->value, 1);
}

TEST(CancelBroadcastTest, ACancelledReceiverLosesNothing) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    Broadcast<int> broadcast(1);
    std::vector<int> got;
    scene.start([&]() -> Coroutine<> {
      auto item = co_await broadcast.receiver.recv();
      if (item) got.push_back(*item);
    });
    co_await sleep(0s);
    broadcast.sender.send(1);
    auto end = co_await scene.ended();
    if (auto item = broadcast.receiver.try_recv()) got.push_back(*item);
    EXPECT_EQ(got, std::vector<int>{1});
  });
}

TEST(BroadcastModelTest, AgreesWithAPlainModel) {
  Random random(7);
  Broadcast<int> broadcast(5);
  broadcast.receiver = {};
  struct Modelled {
    BroadcastReceiver<int> receiver;
    int next;
  };
  std::vector<Modelled> all;
  int sent = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto what = random.below(20);
    if (what == 0 && all.size() < 8) {
      all.push_back(Modelled{broadcast.sender.subscribe(), sent});
    } else if (what == 1 && !all.empty()) {
      all.erase(all.begin() + static_cast<int>(random.below(all.size())));
    } else if (what < 6) {
      EXPECT_EQ(broadcast.sender.send(sent++), all.size());
    } else if (!all.empty()) {
      Modelled& one = all[random.below(all.size())];
      if (sent - one.next > 5) {
        const auto missed = static_cast<uint64_t>(sent - 5 - one.next);
        EXPECT_EQ(missed_by(one.receiver), missed);
        one.next = sent - 5;
      } else if (one.next < sent) {
        EXPECT_EQ(one.receiver.try_recv(), one.next++);
      } else {
        EXPECT_EQ(one.receiver.try_recv(), std::nullopt);
      }
    }
  }
}

TEST(BroadcastThreadsTest, ABlockedThreadGivesUpAfterItsTimeout) {
  Broadcast<int> broadcast(1);
  EXPECT_THROW(broadcast.receiver.recv_blocking(1ms), TimeoutError);
  broadcast.sender.send(1);
  EXPECT_EQ(broadcast.receiver.recv_blocking(1ms), 1);
}

TEST(BroadcastThreadsTest, ALoopThatGoesWithAWaitingTaskIsPassedOver) {
  Broadcast<int> broadcast(1);
  auto other = broadcast.sender.subscribe();
  auto loop = new_event_loop();
  loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
  auto receive = [&]() -> Coroutine<> { co_await other.recv(); };
  {
    auto task = create_task(*loop, receive());
    loop->call_soon([&] { loop->stop(); });
    loop->run_forever();
    loop->close();
    broadcast.sender.send(1);
  }
  loop = nullptr;
  EXPECT_EQ(broadcast.receiver.try_recv(), 1);
}

// Each receiver sees rising numbers, and knows of all it did not see.
TEST(BroadcastThreadsTest, ManyLoopsAndThreadsAccountForEveryItem) {
  constexpr int kItems = 3000;
  for (const size_t capacity : {1, 16, 4096}) {
    Broadcast<int> broadcast(capacity);
    broadcast.receiver = {};
    struct Count {
      int last = -1;
      uint64_t seen = 0;
      uint64_t missed = 0;
      void add(int item) {
        EXPECT_LT(last, item);
        last = item;
        ++seen;
      }
    };
    std::vector<Count> counts(4);
    std::vector<std::thread> threads;
    for (size_t r = 0; r < counts.size(); ++r) {
      threads.emplace_back([r, &count = counts[r],
                            receiver = broadcast.sender.subscribe()] {
        if (r == 0) {
          while (true) {
            try {
              auto item = receiver.recv_blocking();
              if (!item) return;
              count.add(*item);
            } catch (const Lagged& lagged) {
              count.missed += lagged.missed();
            }
          }
        }
        run([&]() -> Coroutine<> {
          while (true) {
            try {
              auto item = co_await receiver.recv();
              if (!item) co_return;
              count.add(*item);
            } catch (const Lagged& lagged) {
              count.missed += lagged.missed();
            }
          }
        });
      });
    }
    for (int i = 0; i < kItems; ++i) broadcast.sender.send(i);
    broadcast.sender = {};
    for (auto& thread : threads) thread.join();
    for (const Count& count : counts) {
      EXPECT_EQ(count.seen + count.missed, static_cast<uint64_t>(kItems));
      if (capacity > kItems) {
        EXPECT_EQ(count.missed, 0u);
      }
    }
  }
}

}  // namespace
}  // namespace asyncio
