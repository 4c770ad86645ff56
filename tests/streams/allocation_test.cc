// What a connection costs in memory: nothing a message, little while it is
// idle.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/stream_test_util.h"
#include "asyncio/tests/tools/allocations.h"

namespace asyncio {
namespace {

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  char memory[16 * 1024];
  while (const size_t n = co_await reader.read_into(memory)) {
    writer.write(std::string_view(memory, n));
    co_await writer.drain();
  }
}

Coroutine<> ask(const Connection& client, const std::string& message,
                int times) {
  std::string answer(message.size(), '\0');
  for (int i = 0; i < times; ++i) {
    client.writer.write(message);
    for (size_t got = 0; got < answer.size();) {
      got += co_await client.reader.read_into(
          std::span(answer.data() + got, answer.size() - got));
    }
    EXPECT_EQ(answer, message);
  }
}

ASYNCIO_TEST(StreamAllocationTest, ASteadyEchoAllocatesNothing) {
  auto [server, client] = co_await connected_pair();
  auto serving =
      create_task(echo(std::move(server.reader), std::move(server.writer)));
  for (const size_t size : {1, 64, 1000, 5000}) {
    const std::string message(size, 'm');
    co_await ask(client, message, 100);
    const int64_t before = allocations_beside_pool();
    co_await ask(client, message, 1000);
    // The string that the answer is compared in, and what the pool of frames
    // fetches now and then.
    EXPECT_LE(allocations_beside_pool() - before, 2) << size;
  }
  client.writer.close();
  co_await serving;
}

ASYNCIO_TEST(StreamAllocationTest, AnIdleConnectionIsSmall) {
  EXPECT_LE(sizeof(internal::Stream) + sizeof(internal::FdTransport), 1024u);
  auto [a, b] = co_await connected_pair();
  a.writer.write(std::string(1000, 'x'));
  EXPECT_EQ((co_await b.reader.readexactly(1000)).size(), 1000u);
  co_return;
}

}  // namespace
}  // namespace asyncio
