// The code in docs/coming_from_python.md that runs several things at once, run.
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/asyncio.h"
#include "asyncio/testing/testing.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<std::string> fetch(int n) {
  co_await sleep(n * 1s);
  co_return "page " + std::to_string(n);
}

std::string read_file(std::string name) { return "text of " + name; }

ASYNCIO_TEST(WaitingTest, Gather) {
  auto pages = co_await gather(fetch(1), fetch(2));
  EXPECT_EQ(std::get<0>(pages), "page 1");
  EXPECT_EQ(std::get<1>(pages), "page 2");
  auto results = co_await gather(return_exceptions, fetch(1), fetch(2));
  EXPECT_EQ(std::get<1>(results).value(), "page 2");
  EXPECT_EQ(elapsed(), 4s);
}

ASYNCIO_TEST(WaitingTest, TimeoutsAndShields) {
  std::string page = co_await wait_for(fetch(1), 2s);
  EXPECT_EQ(page, "page 1");
  bool late = false;
  auto body = [&]() -> Coroutine<> { co_await fetch(3); };
  try {
    co_await with(timeout(2s), body);
  } catch (const TimeoutError&) {
    late = true;
  }
  EXPECT_TRUE(late);
  page = co_await shield(fetch(1));
  EXPECT_EQ(page, "page 1");
  EXPECT_EQ(elapsed(), 4s);
}

ASYNCIO_TEST(WaitingTest, Groups) {
  Task<std::string> first, second;
  co_await with(TaskGroup(), [&](TaskGroup& group) {
    first = group.create_task(fetch(1));
    second = group.create_task(fetch(2));
  });
  EXPECT_EQ(first.result(), "page 1");
  EXPECT_EQ(second.result(), "page 2");
}

ASYNCIO_TEST(WaitingTest, WaitAndAsCompleted) {
  std::vector<Task<std::string>> tasks;
  for (int n : {2, 1}) tasks.push_back(create_task(fetch(n)));
  auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  EXPECT_EQ(done.size(), 1u);
  EXPECT_EQ(pending.size(), 1u);
  std::vector<std::string> pages;
  for (auto it = as_completed(tasks); auto task = co_await it.next();) {
    pages.push_back(task->result());
  }
  EXPECT_EQ(pages, (std::vector<std::string>{"page 1", "page 2"}));
}

ASYNCIO_TEST(WaitingTest, Threads) {
  std::string text = co_await to_thread(read_file, "motd");
  EXPECT_EQ(text, "text of motd");
}

AsyncGenerator<int> count_to(int n) {
  for (int i = 1; i <= n; ++i) {
    co_await sleep(1s);
    co_yield i;
  }
}

ASYNCIO_TEST(WaitingTest, Generators) {
  int sum = 0;
  for (auto it = count_to(3); auto i = co_await it.next();) sum += *i;
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(elapsed(), 3s);
}

}  // namespace
