#include "asyncio/streams/sendfile.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/connect.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/pipe.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/sockets.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMore = 3'000'000;  // than any buffer of a socket holds

FileDescriptor file_of(const std::string& content) {
  FILE* file = std::tmpfile();
  std::fwrite(content.data(), 1, content.size(), file);
  std::fflush(file);
  FileDescriptor fd(fcntl(fileno(file), F_DUPFD_CLOEXEC, 0));
  std::fclose(file);
  return fd;
}

off_t position_of(const FileDescriptor& file) {
  return lseek(file.get(), 0, SEEK_CUR);
}

ASYNCIO_TEST(SendfileTest, SendsAFileAndAPart) {
  auto [a, b] = co_await connected_pair();
  const std::string content = numbered_bytes(1000);
  FileDescriptor file = file_of(content);
  EXPECT_EQ(co_await sendfile(a.writer, file.get()), 1000);
  EXPECT_EQ(co_await b.reader.readexactly(1000), content);
  EXPECT_EQ(position_of(file), 1000);
  EXPECT_EQ(
      co_await sendfile(a.writer, file.get(), {.offset = 10, .count = 20}), 20);
  EXPECT_EQ(co_await b.reader.readexactly(20), content.substr(10, 20));
  EXPECT_EQ(position_of(file), 30);
}

ASYNCIO_TEST(SendfileTest, ComesBehindWhatWasWrittenBeforeAndBeforeTheRest) {
  auto [a, b] = co_await connected_pair();
  const std::string before = numbered_bytes(kMore);
  const std::string content(kMore, 'f');
  FileDescriptor file = file_of(content);
  Task<std::string> all = create_task(b.reader.read());
  a.writer.write(before);
  Task<int64_t> sending = create_task(sendfile(a.writer, file.get()));
  co_await sleep(0s);
  a.writer.write("behind");
  const std::array<std::string, 2> lines = {" the", " file"};
  a.writer.writelines(lines);
  EXPECT_GE(a.writer.transport().get_write_buffer_size(), 15u);
  EXPECT_EQ(co_await ending(sendfile(a.writer, file.get())),
            "RuntimeError: another sendfile() is under way");
  a.writer.close();
  EXPECT_EQ(co_await ending(sendfile(a.writer, file.get())),
            "RuntimeError: Transport is closing");
  EXPECT_EQ(co_await sending, static_cast<int64_t>(kMore));
  const std::string received = co_await all;
  EXPECT_TRUE(received == before + content + "behind the file");
  co_await a.writer.wait_closed();
}

ASYNCIO_TEST(SendfileTest, WriteEofWaitsForTheFile) {
  auto [a, b] = co_await connected_pair();
  const std::string content = numbered_bytes(kMore);
  FileDescriptor file = file_of(content);
  Task<int64_t> sending = create_task(sendfile(a.writer, file.get()));
  co_await sleep(0s);
  a.writer.write_eof();
  EXPECT_TRUE(co_await b.reader.read() == content);
  co_await sending;
  b.writer.write("still open this way\n");
  EXPECT_EQ(co_await a.reader.readline(), "still open this way\n");
}

ASYNCIO_TEST(SendfileTest, DestroyingTheWriterWaitsForTheFile) {
  auto [a, b] = co_await connected_pair();
  const std::string content = numbered_bytes(kMore);
  FileDescriptor file = file_of(content);
  Task<int64_t> sending = create_task(sendfile(a.writer, file.get()));
  co_await sleep(0s);
  a.writer = StreamWriter();
  EXPECT_TRUE(co_await b.reader.read() == content);
  co_await sending;
}

ASYNCIO_TEST(SendfileTest, AbortEndsIt) {
  auto [a, b] = co_await connected_pair();
  FileDescriptor file = file_of(numbered_bytes(kMore));
  Task<int64_t> sending = create_task(sendfile(a.writer, file.get()));
  co_await sleep(1ms);
  a.writer.transport().abort();
  EXPECT_EQ(co_await ending(std::move(sending)),
            "ConnectionResetError: Connection lost");
}

ASYNCIO_TEST(SendfileTest, AGonePeerEndsIt) {
  auto [a, b] = co_await connected_pair();
  FileDescriptor file = file_of(numbered_bytes(kMore));
  Task<int64_t> sending = create_task(sendfile(a.writer, file.get()));
  co_await sleep(1ms);
  b.writer.transport().abort();
  Result<int64_t> end = co_await as_result(sending);
  EXPECT_NE(end.get_if<ConnectionError>(), nullptr);
}

ASYNCIO_TEST(SendfileTest, AResetIsToldAsWhatItIs) {
  const FileDescriptor listener = listening_socket();
  const SocketAddress address = SocketAddress::local_of(listener.get());
  auto [reader, writer] =
      co_await open_connection("127.0.0.1", address.port());
  FileDescriptor peer(accept(listener.get(), nullptr, nullptr));
  FileDescriptor file = file_of(std::string(10 * kMore, 'f'));
  Task<int64_t> sending = create_task(sendfile(writer, file.get()));
  co_await sleep(1ms);
  const linger at_once = {1, 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  peer.reset();
  EXPECT_EQ(co_await ending(std::move(sending)),
            "ConnectionResetError: [Errno 104] recv from " +
                address.to_string() + ": Connection reset by peer");
}

ASYNCIO_TEST(SendfileTest, IsRefusedAfterWriteEof) {
  auto [a, b] = co_await connected_pair();
  FileDescriptor file = file_of("behind the end");
  const std::string before = numbered_bytes(kMore);
  a.writer.write(before);
  a.writer.write_eof();
  EXPECT_EQ(co_await ending(sendfile(a.writer, file.get())),
            "RuntimeError: Cannot call write() after write_eof()");
  EXPECT_TRUE(co_await b.reader.read() == before);
}

ASYNCIO_TEST(SendfileTest, WhatTheKernelCannotSendIsRead) {
  auto [a, b] = co_await connected_pair();
  std::array<int, 2> ends;
  CO_ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  CO_ASSERT_EQ(write(in.get(), "from a pipe", 11), 11);
  in.reset();
  EXPECT_EQ(co_await ending(sendfile(a.writer, out.get(), {.fallback = false})),
            "SendfileNotAvailableError: not a regular file");
  EXPECT_EQ(co_await sendfile(a.writer, out.get()), 11);
  EXPECT_EQ(co_await b.reader.readexactly(11), "from a pipe");
}

ASYNCIO_TEST(SendfileTest, OverAPipe) {
  const std::string content = numbered_bytes(200'000);
  FileDescriptor file = file_of(content);
  std::array<int, 2> ends;
  CO_ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  StreamReader reader = co_await connect_read_pipe(ends[0]);
  StreamWriter writer = co_await connect_write_pipe(ends[1]);
  EXPECT_EQ(co_await ending(sendfile(writer, file.get(), {.fallback = false})),
            "RuntimeError: fallback is disabled and native sendfile is not "
            "supported for this transport");
  Task<std::string> all = create_task(reader.read());
  EXPECT_EQ(co_await sendfile(writer, file.get(), {.offset = 1}), 199'999);
  EXPECT_EQ(position_of(file), 200'000);
  EXPECT_EQ(co_await sendfile(writer, file.get(), {.count = 3}), 3);
  writer.close();
  EXPECT_TRUE(co_await all == content.substr(1) + content.substr(0, 3));
}

ASYNCIO_TEST(SendfileTest, RefusesWhatItCannotDo) {
  auto [a, b] = co_await connected_pair();
  FileDescriptor file = file_of("x");
  EXPECT_EQ(co_await ending(sendfile(a.writer, file.get(), {.count = -1})),
            "ValueError: count must be a positive integer (got -1)");
  EXPECT_EQ(co_await ending(sendfile(a.writer, file.get(), {.offset = -1})),
            "ValueError: offset must be a non-negative integer (got -1)");
}

class TestPipe {
 public:
  TestPipe() {
    std::array<int, 2> ends;
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  void put(const std::string& data) {
    EXPECT_EQ(write(in.get(), data.data(), data.size()),
              static_cast<ssize_t>(data.size()));
  }
  // What nobody has taken; ends the pipe.
  std::string rest() {
    in.reset();
    return read_now(out.get());
  }
  FileDescriptor out;
  FileDescriptor in;
};

ASYNCIO_TEST(SendfileTest, APartOfAPipe) {
  auto [a, b] = co_await connected_pair();
  TestPipe pipe;
  pipe.put("from a pipe");
  EXPECT_EQ(co_await sendfile(a.writer, pipe.out.get(), {.count = 4}), 4);
  EXPECT_EQ(co_await b.reader.readexactly(4), "from");
  EXPECT_EQ(co_await ending(sendfile(a.writer, pipe.out.get(), {.offset = 1})),
            "OSError: [Errno 29] lseek on descriptor " +
                std::to_string(pipe.out.get()) + ": Illegal seek");
  EXPECT_EQ(pipe.rest(), " a pipe");
}

// A thread that reads it would keep the loop from ending.
ASYNCIO_TEST(SendfileTest, AnEmptyPipeIsLeftAtOnce) {
  TestPipe pipe;
  auto [a, b] = co_await connected_pair();
  Task<int64_t> over_socket = create_task(sendfile(a.writer, pipe.out.get()));
  co_await sleep(1s);
  over_socket.cancel();
  EXPECT_EQ(co_await ending(std::move(over_socket)), "CancelledError: ");
  TestPipe to;
  StreamWriter writer = co_await connect_write_pipe(to.in.release());
  Task<int64_t> over_pipe = create_task(sendfile(writer, pipe.out.get()));
  co_await sleep(1s);
  over_pipe.cancel();
  EXPECT_EQ(co_await ending(std::move(over_pipe)), "CancelledError: ");
}

TEST(CancelSendfileTest, APipeKeepsWhatWasNotSent) {
  const std::string content = numbered_bytes(40'000);
  for (const bool over_socket : {true, false}) {
    const int rounds =
        cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
          TestPipe from;
          TestPipe over;
          auto [a, b] = co_await connected_pair();
          StreamReader reader = std::move(b.reader);
          auto writer = std::make_shared<StreamWriter>(std::move(a.writer));
          if (!over_socket) {
            reader = co_await connect_read_pipe(over.out.release());
            *writer = co_await connect_write_pipe(over.in.release());
          }
          Task<std::string> all = create_task(reader.read());
          const int file = from.out.get();
          scene.start([writer, file]() -> Coroutine<> {
            co_await sendfile(*writer, file, {.count = 40'000});
          });
          for (size_t at = 0; at < content.size(); at += 4'000) {
            from.put(content.substr(at, 4'000));
            co_await turns(2);
          }
          static_cast<void>(co_await scene.ended());
          writer->close();
          const std::string received = co_await all;
          EXPECT_TRUE(received + from.rest() == content);
          static_cast<void>(co_await as_result(writer->wait_closed()));
        });
    EXPECT_GT(rounds, 10);
  }
}

TEST(CancelSendfileTest, ThePositionTellsWhatWasSent) {
  const std::string content = numbered_bytes(1'000'000);
  cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    auto file = std::make_shared<FileDescriptor>(file_of(content));
    lseek(file->get(), 0, SEEK_SET);
    auto writer = std::make_shared<StreamWriter>(std::move(a.writer));
    writer->write("head");
    Task<std::string> all = create_task(b.reader.read());
    scene.start([writer, file]() -> Coroutine<> {
      co_await sendfile(*writer, file->get());
    });
    static_cast<void>(co_await scene.ended());
    writer->write("tail");
    writer->close();
    const auto sent = static_cast<size_t>(position_of(*file));
    const std::string received = co_await all;
    EXPECT_TRUE(received == "head" + content.substr(0, sent) + "tail");
    co_await writer->wait_closed();
  });
}

}  // namespace
}  // namespace asyncio
