#include "asyncio/sync/event.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/sync/sync_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coroutine<> note(Event& event, std::string& log, char name) {
  co_await event.wait();
  log += name;
}

ASYNCIO_TEST(EventTest, WaitOfASetEventTakesNoTurn) {
  Event event;
  EXPECT_FALSE(event.is_set());
  event.set();
  bool turned = false;
  get_running_loop().call_soon([&] { turned = true; });
  EXPECT_TRUE(co_await event.wait());
  EXPECT_TRUE(event.is_set());
  EXPECT_FALSE(turned);
  co_await turns();
  EXPECT_TRUE(turned);
}

ASYNCIO_TEST(EventTest, WakesEverybodyInOrderOneTurnLater) {
  Event event;
  std::string log;
  for (char c = 'a'; c <= 'd'; ++c) create_task(note(event, log, c));
  co_await turns();
  event.set();
  event.set();
  EXPECT_EQ(log, "");
  co_await turns();
  EXPECT_EQ(log, "abcd");
}

ASYNCIO_TEST(EventTest, SetAndClearWakesWhoWaitedAndNobodyElse) {
  Event event;
  std::string log;
  create_task(note(event, log, 'a'));
  co_await turns();
  event.set();
  event.clear();
  auto late = create_task(note(event, log, 'b'));
  co_await turns(3);
  EXPECT_EQ(log, "a");
  EXPECT_FALSE(late.done());
  event.set();
  co_await late;
  EXPECT_EQ(log, "ab");
}

ASYNCIO_TEST(EventTest, CancelledBeforeWhileAndAfterItIsWoken) {
  Event event;
  auto before = create_task(event.wait());
  before.cancel();
  auto meanwhile = create_task(event.wait());
  auto after = create_task(event.wait());
  auto other = create_task(event.wait());
  co_await turns();
  meanwhile.cancel();
  event.set();
  after.cancel();
  co_await turns();
  EXPECT_TRUE(before.cancelled());
  EXPECT_TRUE(meanwhile.cancelled());
  EXPECT_TRUE(after.cancelled());
  EXPECT_TRUE(other.result());
}

ASYNCIO_TEST(EventTest, CancelledWaiterMayWaitAgainAtOnce) {
  Event event;
  auto task = create_task([&]() -> Coroutine<bool> {
    auto first = co_await as_result(event.wait());
    EXPECT_TRUE(first.cancelled());
    co_return co_await event.wait();
  });
  co_await turns();
  task.cancel();
  co_await turns();
  event.set();
  EXPECT_TRUE(co_await task);
}

ASYNCIO_TEST(EventTest, DestroyedAfterSetStillWakes) {
  auto event = std::make_unique<Event>();
  auto woken = create_task(event->wait());
  co_await turns();
  event->set();
  event.reset();
  EXPECT_TRUE(co_await woken);
}

ASYNCIO_TEST(EventTest, DestroyedWithWaitersLetsGoOfThem) {
  auto event = std::make_unique<Event>();
  auto a = create_task(event->wait());
  auto b = create_task(event->wait());
  co_await turns();
  a.cancel();  // on its way when the event goes
  event.reset();
  EXPECT_EQ(co_await ending(a), "CancelledError");
  EXPECT_FALSE(b.done());
  b.cancel();
  EXPECT_EQ(co_await ending(b), "CancelledError");
}

TEST(EventLoopTest, BelongsToTheFirstLoopThatWaits) {
  Event event;
  run([&]() -> Coroutine<> {
    auto waiter = create_task(event.wait());
    co_await turns();
    event.set();
    co_await waiter;
  });
  EXPECT_TRUE(run(event.wait()));
  event.clear();
  try {
    run(event.wait());
    ADD_FAILURE() << "no error";
  } catch (const RuntimeError& e) {
    EXPECT_THAT(e.what(),
                testing::HasSubstr("> is bound to a different event loop"));
  }
}

TEST(EventLoopTest, LoopDestroyedWithWaitersLeavesTheEventUsable) {
  Event event;
  {
    auto loop = new_event_loop();
    loop->set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    create_task(*loop, event.wait());
    run_until_complete(*loop, sleep(0s));
  }
  event.set();
  EXPECT_TRUE(run(event.wait()));
}

}  // namespace
}  // namespace asyncio
