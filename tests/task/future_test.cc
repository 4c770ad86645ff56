#include "asyncio/task/future.h"

#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/gather.h"
#include "asyncio/task/shield.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

template <class F>
std::string text_of_error(F fn) {
  try {
    fn();
  } catch (...) {
    const std::exception_ptr e = std::current_exception();
    return exception_name(e) + ": " + exception_message(e);
  }
  return "nothing";
}

ASYNCIO_TEST(FutureTest, IsPendingUntilItHasAResult) {
  Future<int> f = create_future<int>();
  EXPECT_FALSE(f.done());
  EXPECT_FALSE(f.cancelled());
  f.set_result(3);
  EXPECT_TRUE(f.done());
  EXPECT_EQ(f.result(), 3);
  EXPECT_EQ(f.exception(), nullptr);
  EXPECT_EQ(co_await f, 3);
}

ASYNCIO_TEST(FutureTest, AskedTooEarlyItSaysSo) {
  Future<int> f = create_future<int>();
  EXPECT_EQ(text_of_error([&] { f.result(); }),
            "InvalidStateError: Result is not set.");
  EXPECT_EQ(text_of_error([&] { f.exception(); }),
            "InvalidStateError: Exception is not set.");
  co_return;
}

ASYNCIO_TEST(FutureTest, EndsOnce) {
  Future<> result = create_future<>();
  result.set_result();
  Future<> exception = create_future<>();
  exception.set_exception(ValueError("v"));
  Future<> cancelled = create_future<>();
  cancelled.cancel();
  for (const Future<>& f : {result, exception, cancelled}) {
    EXPECT_EQ(text_of_error([&] { f.set_result(); }),
              "InvalidStateError: invalid state");
    EXPECT_THROW(f.set_exception(ValueError("w")), InvalidStateError);
    EXPECT_FALSE(f.cancel());
  }
  EXPECT_EQ(exception_message(exception.exception()), "v");
  co_return;
}

ASYNCIO_TEST(FutureTest, ThrowsTheSameExceptionObjectEachTime) {
  Future<> f = create_future<>();
  f.set_exception(ValueError("v"));
  const ValueError* first = nullptr;
  try {
    f.result();
  } catch (const ValueError& e) {
    first = &e;
  }
  try {
    co_await f;
  } catch (const ValueError& e) {
    EXPECT_EQ(&e, first);
  }
  EXPECT_EQ(exception_cast<ValueError>(f.exception()), first);
}

ASYNCIO_TEST(FutureTest, CancelledItThrowsCancelledErrorWithTheMessage) {
  Future<> f = create_future<>();
  EXPECT_TRUE(f.cancel("enough"));
  EXPECT_TRUE(f.done());
  EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(text_of_error([&] { f.result(); }), "CancelledError: enough");
  EXPECT_EQ(text_of_error([&] { f.exception(); }), "CancelledError: enough");
  EXPECT_THROW(co_await f, CancelledError);
}

ASYNCIO_TEST(FutureTest, AStoredCancelledErrorIsAnExceptionLikeAnyOther) {
  Future<> f = create_future<>();
  f.set_exception(CancelledError("stored"));
  EXPECT_FALSE(f.cancelled());
  EXPECT_EQ(exception_name(f.exception()), "CancelledError");
  EXPECT_THROW(co_await f, CancelledError);
}

ASYNCIO_TEST(FutureTest, ANullExceptionIsRefused) {
  Future<> f = create_future<>();
  EXPECT_THROW(f.set_exception(std::exception_ptr()), TypeError);
  EXPECT_FALSE(f.done());
  co_return;
}

ASYNCIO_TEST(FutureTest, WaitersAndCallbacksRunInTheOrderInWhichTheyCame) {
  std::string log;
  Future<> f = create_future<>();
  auto waiter = [&](char name) -> Coroutine<> {
    co_await f;
    log += name;
  };
  f.add_done_callback([&] { log += '1'; });
  Task<> a = create_task(waiter('a'));
  co_await sleep(0s);
  f.add_done_callback([&] { log += '2'; });
  Task<> b = create_task(waiter('b'));
  co_await sleep(0s);
  f.set_result();
  get_running_loop().call_soon([&] { log += 's'; });
  EXPECT_EQ(log, "");
  co_await b;
  EXPECT_EQ(log, "1a2bs");
}

ASYNCIO_TEST(FutureTest, CallbackOfADoneFutureIsScheduledNotCalled) {
  std::string log;
  Future<> f = create_future<>();
  f.set_result();
  get_running_loop().call_soon([&] { log += '1'; });
  f.add_done_callback([&] { log += '2'; });
  get_running_loop().call_soon([&] { log += '3'; });
  EXPECT_EQ(log, "");
  co_await sleep(0s);
  EXPECT_EQ(log, "123");
}

ASYNCIO_TEST(FutureTest, CallbackIsGivenTheFuture) {
  Future<int> f = create_future<int>();
  bool same = false;
  f.add_done_callback([&](Future<int> done) { same = done == f; });
  f.set_result(1);
  co_await sleep(0s);
  EXPECT_TRUE(same);
}

ASYNCIO_TEST(FutureTest, RemovedCallbackIsDestroyedAndNotCalled) {
  Future<> f = create_future<>();
  auto shared = std::make_shared<int>(0);
  bool called = false;
  auto callback = [shared, &called] { called = true; };
  const CallbackId id = f.add_done_callback(std::move(callback));
  EXPECT_EQ(shared.use_count(), 2);
  EXPECT_EQ(f.remove_done_callback(id), 1u);
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(f.remove_done_callback(id), 0u);
  f.set_result();
  co_await sleep(0s);
  EXPECT_FALSE(called);
}

ASYNCIO_TEST(FutureTest, RemovingAScheduledCallbackIsTooLate) {
  Future<> f = create_future<>();
  int calls = 0;
  const CallbackId id = f.add_done_callback([&] { ++calls; });
  f.set_result();
  EXPECT_EQ(f.remove_done_callback(id), 0u);
  co_await sleep(0s);
  EXPECT_EQ(calls, 1);
}

ASYNCIO_TEST(FutureTest, WhatACallbackThrowsIsReportedAndTheOthersRun) {
  Future<> f = create_future<>();
  std::string log;
  f.add_done_callback([&] { log += '1'; });
  f.add_done_callback([] { throw ValueError("boom"); });
  f.add_done_callback([&] { log += '3'; });
  f.set_result();
  co_await sleep(0s);
  EXPECT_EQ(log, "13");
  const auto reports = take_reports();
  CO_ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(exception_message(reports[0].exception), "boom");
  EXPECT_EQ(reports[0].future, AnyFuture(f));
}

ASYNCIO_TEST(FutureTest, CallbackMayAddCallbacksAndDropTheFuture) {
  Future<> f = create_future<>();
  std::string log;
  f.add_done_callback([&](Future<> done) {
    log += '1';
    f = Future<>();
    done.add_done_callback([&] { log += '2'; });
  });
  f.set_result();
  co_await sleep(0s);
  co_await sleep(0s);
  EXPECT_EQ(log, "12");
}

ASYNCIO_TEST(FutureTest, GivesAReferenceFromAHandleThatStaysAndAValueElse) {
  Future<std::unique_ptr<int>> f = create_future<std::unique_ptr<int>>();
  f.set_result(std::make_unique<int>(4));
  const std::unique_ptr<int>& lent = co_await f;
  EXPECT_EQ(*lent, 4);
  std::unique_ptr<int> mine = co_await std::move(f);
  EXPECT_EQ(*mine, 4);
}

ASYNCIO_TEST(FutureTest, HoldsAReference) {
  int n = 0;
  Future<int&> f = create_future<int&>();
  f.set_result(n);
  EXPECT_EQ(&f.result(), &n);
  int& awaited = co_await f;
  EXPECT_EQ(&awaited, &n);
}

ASYNCIO_TEST(FutureTest, HandlesAreEqualWhereTheyNameTheSameFuture) {
  Future<int> a = create_future<int>();
  Future<int> copy = a;
  Future<int> b = create_future<int>();
  EXPECT_EQ(a, copy);
  EXPECT_NE(a, b);
  EXPECT_FALSE(Future<int>());
  EXPECT_EQ((std::unordered_set<Future<int>>{a, b, copy}).size(), 2u);
  EXPECT_EQ((absl::flat_hash_set<Future<int>>{a, b, copy}).size(), 2u);
  EXPECT_TRUE(contains(std::vector<Future<int>>{a}, copy));
  EXPECT_FALSE(contains(std::vector<Future<int>>{a}, b));
  co_return;
}

ASYNCIO_TEST(FutureTest, AnyFutureIsAwaitedForItsEnd) {
  Future<int> f = create_future<int>();
  const AnyFuture any = f;
  get_running_loop().call_later(1s, [f] { f.set_exception(ValueError("v")); });
  EXPECT_THROW(co_await any, ValueError);
  EXPECT_EQ(elapsed(), 1s);
}

ASYNCIO_TEST(FutureTest, IsShownAsPythonShowsIt) {
  Future<> f = create_future<>();
  EXPECT_EQ(to_string(f), "<Future pending>");
  f.set_exception(ValueError("bad"));
  EXPECT_EQ(to_string(f), "<Future finished exception=ValueError('bad')>");
  f.exception();
  Future<> timed_out = create_future<>();
  timed_out.set_exception(TimeoutError());
  EXPECT_EQ(to_string(timed_out), "<Future finished exception=TimeoutError()>");
  timed_out.exception();
  co_return;
}

TEST(FutureOfAnIdleLoopTest, ItsCallbacksComeAfterWhatWasPostedBefore) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  std::string log;
  Future<> set = create_future<>(*loop), cancelled = create_future<>(*loop);
  set.add_done_callback([&] { log += 'b'; });
  cancelled.add_done_callback([&] { log += 'd'; });
  loop->call_soon_threadsafe([&] { log += 'a'; });
  set.set_result();
  loop->call_soon_threadsafe([&] { log += 'c'; });
  cancelled.cancel();
  loop->stop();
  loop->run_forever();
  EXPECT_EQ(log, "abcd");
}

ASYNCIO_TEST(FutureTest, OfAnotherLoopItIsRefusedWithBothNames) {
  std::unique_ptr<EventLoop> other = new_event_loop();
  Future<> f = create_future<>(*other);
  std::string text;
  try {
    co_await f;
  } catch (const RuntimeError& e) {
    text = e.what();
  }
  EXPECT_THAT(text, HasSubstr("Task <Task pending name='Task-"));
  EXPECT_THAT(text, HasSubstr("got Future <Future pending>"));
  EXPECT_THAT(text, HasSubstr("attached to a different loop"));
}

ASYNCIO_TEST(FutureTest, AwaitedWithoutItsTypeItGivesNothing) {
  Future<int> f = create_future<int>();
  Task<std::string> t = create_task(sleep(0s, std::string("x")));
  f.set_result(3);
  co_await AnyFuture(f);
  co_await AnyTask(t);
  const AnyFuture kept = t;
  co_await kept;
  EXPECT_EQ(t.result(), "x");
}

ASYNCIO_TEST(FutureTest, AwaitedAsANullHandleItIsRefused) {
  const Future<int> f;
  std::string text;
  try {
    co_await f;
  } catch (const TypeError& e) {
    text = e.what();
  }
  EXPECT_EQ(text, "a null handle can't be used in 'co_await'");
}

ASYNCIO_TEST(FutureTest, OnAWrongThreadItIsRefusedWithBothThreads) {
  Future<> f = create_future<>();
  EventLoop& loop = get_running_loop();
  std::vector<std::string> texts;
  std::thread thread([&] {
    texts.push_back(text_of_error([&] { f.set_result(); }));
    texts.push_back(text_of_error([&] { f.cancel(); }));
    texts.push_back(text_of_error([&] { AnyFuture(f).cancel(); }));
    texts.push_back(text_of_error([&] { f.set_exception(ValueError("v")); }));
    texts.push_back(text_of_error([&] { f.add_done_callback([] {}); }));
    texts.push_back(text_of_error([&] { f.remove_done_callback({}); }));
    texts.push_back(text_of_error([&] { create_future<>(loop); }));
    texts.push_back(text_of_error([&] { shield(f); }));
    texts.push_back(text_of_error([&] { gather(f, f); }));
  });
  thread.join();
  EXPECT_EQ(texts.size(), 9u);
  for (const std::string& text : texts) {
    EXPECT_THAT(text, HasSubstr("RuntimeError: Non-thread-safe operation"));
    EXPECT_THAT(text, HasSubstr("the loop runs in thread "));
    EXPECT_THAT(text, HasSubstr("the call came from thread "));
  }
  EXPECT_FALSE(f.done());
  co_return;
}

TEST(FutureWithoutLoopTest, NeedsARunningLoopOrOneByName) {
  EXPECT_EQ(text_of_error([] { create_future<>(); }),
            "RuntimeError: no running event loop");
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Future<> f = create_future<>(*loop);
  EXPECT_EQ(&f.get_loop(), loop.get());
}

// It only runs nothing any more.
TEST(FutureWithoutLoopTest, CanBeMadeOfALoopThatIsClosed) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  loop->close();
  Future<int> f = create_future<int>(*loop);
  f.add_done_callback([] { ADD_FAILURE(); });
  f.set_result(1);
  EXPECT_EQ(f.result(), 1);
  EXPECT_EQ(text_of_error([&] { f.add_done_callback([] {}); }),
            "RuntimeError: Event loop is closed");
}

TEST(FutureWithoutLoopTest, CanBeReadAfterItsLoopIsGone) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  Future<int> value = create_future<int>(*loop);
  value.set_result(1);
  Future<int> failed = create_future<int>(*loop);
  failed.set_exception(ValueError("v"));
  Future<int> pending = create_future<int>(*loop);
  pending.add_done_callback([] { ADD_FAILURE(); });
  loop = nullptr;
  EXPECT_EQ(value.result(), 1);
  EXPECT_EQ(exception_message(failed.exception()), "v");
  EXPECT_FALSE(pending.done());
  EXPECT_TRUE(pending.cancel());
}

}  // namespace
}  // namespace asyncio
