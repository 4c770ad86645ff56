// Readers and writers over socket pairs, where both ends belong to one loop.

#include <chrono>
#include <cstddef>
#include <forward_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

// What a wait in a task of another loop ends with.
MATCHER_P(IsOtherLoop, name, "") {
  return arg.starts_with("RuntimeError: <" + std::string(name) +
                         " object at 0x") &&
         arg.ends_with("> is bound to a different event loop");
}

ASYNCIO_TEST(StreamTest, WhatIsWrittenIsRead) {
  auto [a, b] = co_await connected_pair();
  a.writer.write("hello ");
  a.writer.write("world\nrest");
  EXPECT_EQ(co_await b.reader.readline(), "hello world\n");
  EXPECT_EQ(co_await b.reader.readexactly(2), "re");
  EXPECT_EQ(co_await b.reader.read(100), "st");
}

ASYNCIO_TEST(StreamTest, ReadWaitsForData) {
  auto [a, b] = co_await connected_pair();
  auto line = create_task(b.reader.readline());
  co_await sleep(0s);
  EXPECT_FALSE(line.done());
  a.writer.write("one");
  co_await sleep(0s);
  a.writer.write(" line\n");
  EXPECT_EQ(co_await line, "one line\n");
}

ASYNCIO_TEST(StreamTest, ReadsGiveWhatIsLeftAndThenTheEnd) {
  auto [a, b] = co_await connected_pair();
  a.writer.write("bye");
  a.writer.close();
  co_await a.writer.wait_closed();
  EXPECT_EQ(co_await b.reader.readline(), "bye");
  EXPECT_TRUE(b.reader.at_eof());
  EXPECT_EQ(co_await b.reader.readline(), "");
  EXPECT_EQ(co_await b.reader.read(), "");
}

ASYNCIO_TEST(StreamTest, ReadWithoutANumberReadsToTheEnd) {
  auto [a, b] = co_await connected_pair();
  auto all = create_task(b.reader.read());
  const std::string chunk(100'000, 'x');
  for (int i = 0; i < 10; ++i) {
    a.writer.write(chunk);
    co_await a.writer.drain();
  }
  a.writer.write_eof();
  EXPECT_EQ((co_await all).size(), 1'000'000u);
  b.writer.write("still open");
  EXPECT_EQ(co_await a.reader.readexactly(10), "still open");
}

ASYNCIO_TEST(StreamTest, NextGivesLinesUpToTheEnd) {
  auto [a, b] = co_await connected_pair();
  a.writer.write("1\n2\n3");
  a.writer.write_eof();
  std::string log;
  while (auto line = co_await b.reader.next()) log += *line + "|";
  EXPECT_EQ(log, "1\n|2\n|3|");
}

ASYNCIO_TEST(StreamTest, ReadIntoFillsTheCallersMemory) {
  auto [a, b] = co_await connected_pair();
  a.writer.write("abcdef");
  char memory[4];
  EXPECT_EQ(co_await b.reader.read_into(memory), 4u);
  EXPECT_EQ(std::string_view(memory, 4), "abcd");
  EXPECT_EQ(co_await b.reader.read_into(std::span(memory, 1)), 1u);
  EXPECT_EQ(co_await b.reader.read_into(std::span(memory, 0)), 0u);
  EXPECT_EQ(co_await b.reader.read_into(memory), 1u);
  EXPECT_EQ(memory[0], 'f');
}

ASYNCIO_TEST(StreamTest, DrainWaitsForASlowReader) {
  auto [a, b] = co_await connected_pair();
  const std::string chunk(64 * 1024, 'x');
  size_t sent = 0;
  while (a.writer.transport().get_write_buffer_size() <= 64 * 1024) {
    a.writer.write(chunk);
    sent += chunk.size();
  }
  auto one = create_task(a.writer.drain());
  auto two = create_task(a.writer.drain());
  co_await turns(5);
  EXPECT_FALSE(one.done());
  EXPECT_FALSE(two.done());
  size_t received = 0;
  while (!one.done()) received += (co_await b.reader.read(1 << 20)).size();
  EXPECT_LE(a.writer.transport().get_write_buffer_size(), 16u * 1024);
  co_await two;
  while (received < sent) received += (co_await b.reader.read(1 << 20)).size();
  EXPECT_EQ(received, sent);
}

ASYNCIO_TEST(StreamTest, AFullReaderMakesTheWriterWait) {
  auto [a, b] = co_await connected_pair({.limit = 1000});
  const std::string chunk(64 * 1024, 'x');
  while (a.writer.transport().get_write_buffer_size() == 0) {
    a.writer.write(chunk);
    co_await turns();
  }
  co_await turns(10);
  EXPECT_FALSE(b.writer.transport().is_reading());
  EXPECT_EQ(co_await b.reader.readexactly(200'000),
            std::string(200'000, 'x'));
  co_await b.reader.read(1 << 20);
  EXPECT_TRUE(b.writer.transport().is_reading());
}

ASYNCIO_TEST(StreamTest, DestroyingTheWriterClosesAfterWhatWasWritten) {
  auto [a, b] = co_await connected_pair();
  const std::string chunk(1 << 20, 'x');
  a.writer.write(chunk);
  { StreamWriter gone = std::move(a.writer); }
  EXPECT_EQ((co_await b.reader.read()).size(), chunk.size());
  EXPECT_EQ(co_await a.reader.read(), "");
}

ASYNCIO_TEST(StreamTest, AbortDropsWhatIsBuffered) {
  auto [a, b] = co_await connected_pair();
  const std::string chunk(4 << 20, 'x');
  a.writer.write(chunk);
  a.writer.transport().abort();
  EXPECT_TRUE(a.writer.is_closing());
  co_await a.writer.wait_closed();
  EXPECT_LT((co_await b.reader.read()).size(), chunk.size());
  EXPECT_EQ(co_await ending(a.writer.drain()),
            "ConnectionResetError: Connection lost");
}

ASYNCIO_TEST(StreamTest, AWriteToAClosedPeerIsTheReadersErrorToo) {
  auto [a, b] = co_await connected_pair();
  b.writer.close();
  co_await b.writer.wait_closed();
  a.writer.write("x");
  EXPECT_EQ(co_await ending(a.writer.drain()),
            "ConnectionResetError: Connection lost");
  EXPECT_EQ(co_await ending(a.reader.read(1)),
            "BrokenPipeError: [Errno 32] send to descriptor " +
                std::to_string(a.fd) + ": Broken pipe");
  EXPECT_EQ(co_await ending(a.writer.wait_closed()),
            "BrokenPipeError: [Errno 32] send to descriptor " +
                std::to_string(a.fd) + ": Broken pipe");
}

ASYNCIO_TEST(StreamTest, WriteAfterWriteEofIsRefused) {
  auto [a, b] = co_await connected_pair();
  EXPECT_TRUE(a.writer.can_write_eof());
  a.writer.write_eof();
  EXPECT_THROW(a.writer.write("x"), RuntimeError);
  EXPECT_THROW(a.writer.write(""), RuntimeError);
  EXPECT_THROW(a.writer.writelines(std::vector<std::string>()), RuntimeError);
  EXPECT_EQ(co_await b.reader.read(1), "");
}

ASYNCIO_TEST(StreamTest, AnEmptyWriteToALostConnectionDoesNotCount) {
  auto [a, b] = co_await connected_pair();
  a.writer.transport().abort();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 9; ++i) {
    a.writer.write("");
    a.writer.writelines(std::vector<std::string>());
  }
  for (int i = 0; i < 4; ++i) a.writer.write("x");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  a.writer.write("x");
  a.writer.write("");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "socket.send() raised exception.\n");
}

ASYNCIO_TEST(StreamTest, AnOperationSurvivesItsHandle) {
  auto [a, b] = co_await connected_pair();
  auto line = create_task(b.reader.readline());
  { StreamReader gone = std::move(b.reader); }
  co_await turns();
  a.writer.write("x\n");
  EXPECT_EQ(co_await line, "x\n");
}

ASYNCIO_TEST(StreamTest, WritelinesSendsAllParts) {
  auto [a, b] = co_await connected_pair();
  std::vector<std::string> lines;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    lines.push_back(std::to_string(i) + "\n");
    all += lines.back();
  }
  a.writer.writelines(lines);
  EXPECT_EQ(co_await b.reader.readexactly(all.size()), all);
}

ASYNCIO_TEST(StreamTest, WritelinesTakesRangesOfAllKinds) {
  auto [a, b] = co_await connected_pair();
  const std::forward_list<std::string> unsized = {"a", "", "b"};
  const std::vector<std::string_view> few(16, "c");
  const std::vector<std::string_view> more(17, "d");
  a.writer.writelines(unsized);
  a.writer.writelines(std::vector<std::string>());
  a.writer.writelines(few);
  a.writer.writelines(more);
  a.writer.writelines(std::vector<std::string>(2));
  a.writer.writelines({"e", std::string("f")});
  a.writer.writelines({});
  a.writer.close();
  const std::string all =
      "ab" + std::string(16, 'c') + std::string(17, 'd') + "ef";
  EXPECT_EQ(co_await b.reader.read(), all);
}

ASYNCIO_TEST(StreamTest, AWrongThreadIsRefusedAndChangesNothing) {
  auto [a, b] = co_await connected_pair();
  const StreamWriter& writer = a.writer;
  Transport& transport = writer.transport();
  std::vector<std::string> texts;
  std::thread thread([&] {
    texts.push_back(error_of([&] { writer.close(); }));
    texts.push_back(error_of([&] { writer.write_eof(); }));
    texts.push_back(error_of([&] { transport.abort(); }));
    texts.push_back(error_of([&] { transport.pause_reading(); }));
    texts.push_back(error_of([&] { transport.resume_reading(); }));
    texts.push_back(error_of([&] { transport.set_write_buffer_limits(); }));
  });
  thread.join();
  EXPECT_EQ(texts.size(), 6u);
  for (const std::string& text : texts) {
    EXPECT_THAT(text, StartsWith("RuntimeError: Non-thread-safe operation"));
  }
  writer.write("x");
  EXPECT_EQ(co_await b.reader.read(1), "x");
  b.writer.write("y");
  EXPECT_EQ(co_await a.reader.read(1), "y");
}

TEST(StreamLoopTest, HandlesMayOutliveTheirLoop) {
  Connection left;
  Connection other;
  run([&]() -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    a.writer.write("x");
    left = std::move(a);
    other = std::move(b);
  });
  EXPECT_TRUE(left.writer.is_closing());
  left.writer.write("y");
  left.writer.transport().set_write_buffer_limits();
  left.writer.transport().resume_reading();
  left.writer.transport().abort();
  left.writer.close();
}

TEST(StreamLoopTest, AWaitInATaskOfAnotherLoopIsRefused) {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  auto [a, b] = run_until_complete(*loop, connected_pair());
  a.writer.write("line\n");
  // Twice what it has to hold for one to wait.
  b.writer.write(std::string(1'000'000, 'x'));
  run_until_complete(*loop, turns(3));
  run([&]() -> Coroutine<> {
    char memory[4];
    EXPECT_EQ(co_await b.reader.readline(), "line\n");
    EXPECT_THAT(co_await ending(wait_for(b.reader.read(1), 1s)),
                IsOtherLoop("StreamReader"));
    EXPECT_THAT(co_await ending(wait_for(b.reader.read_into(memory), 1s)),
                IsOtherLoop("StreamReader"));
    EXPECT_THAT(co_await ending(wait_for(b.writer.drain(), 1s)),
                IsOtherLoop("StreamWriter"));
    EXPECT_THAT(co_await ending(wait_for(b.writer.wait_closed(), 1s)),
                IsOtherLoop("StreamWriter"));
    EXPECT_EQ(co_await ending(a.writer.drain()), "");
  });
  // It has done no harm.
  a.writer.write("more\n");
  EXPECT_EQ(run_until_complete(*loop, b.reader.readline()), "more\n");
}

TEST(StreamLoopTest, ARunThatIsOverLeavesNoReadToWait) {
  Connection left;
  Connection other;
  run([&]() -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    b.writer.write("line\nrest");
    co_await turns(2);
    left = std::move(a);
    other = std::move(b);
  });
  run([&]() -> Coroutine<> {
    EXPECT_EQ(co_await left.reader.readline(), "line\n");
    EXPECT_THAT(co_await ending(wait_for(left.reader.readline(), 1s)),
                IsOtherLoop("StreamReader"));
    EXPECT_EQ(co_await ending(left.writer.drain()),
              "ConnectionResetError: Connection lost");
    EXPECT_EQ(co_await ending(left.writer.wait_closed()), "");
  });
}

TEST(StreamCancelTest, ACancelledDrainLosesNoByte) {
  std::string data;
  for (int i = 0; i < 100'000; ++i) data += std::to_string(i) + "\n";
  cancel_everywhere([&data](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    a.writer.transport().set_write_buffer_limits({.high = 0});
    a.writer.write(data);
    scene.start(a.writer.drain());
    std::string got;
    while (got.size() < data.size()) got += co_await b.reader.read(1 << 16);
    auto end = co_await scene.ended();
    EXPECT_TRUE(end.has_value() || end.cancelled());
    EXPECT_EQ(got, data);
    co_await a.writer.drain();
  });
}

TEST(StreamCancelTest, ACancelledWaitClosedLeavesTheEndToTheNext) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    a.writer.write("bye");
    a.writer.close();
    scene.start(a.writer.wait_closed());
    auto end = co_await scene.ended();
    EXPECT_TRUE(end.has_value() || end.cancelled());
    co_await a.writer.wait_closed();
    EXPECT_EQ(co_await b.reader.read(), "bye");
  });
}

}  // namespace
}  // namespace asyncio
