// The pieces of code in README.md, run.
#include <chrono>
#include <iostream>
#include <string>

#include "gtest/gtest.h"

#include "asyncio/asyncio.h"
#include "asyncio/testing/testing.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> poll_forever() {
  try {
    for (;;) co_await sleep(1min);
  } catch (const CancelledError&) {
    std::cout << "stopping" << std::endl;
    throw;
  }
}

ASYNCIO_TEST(PollTest, StopsWhenItIsCancelled) {
  Task<> poller = create_task(poll_forever());
  co_await sleep(1h);
  poller.cancel();
  Result<> end = co_await as_result(poller);
  EXPECT_TRUE(end.cancelled());
  EXPECT_EQ(elapsed(), 1h);
}

}  // namespace
