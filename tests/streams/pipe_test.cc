#include "asyncio/streams/pipe.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/file_descriptor.h"
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

namespace asyncio {
namespace {

using namespace std::chrono_literals;

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_os_error(errno, "pipe2");
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  FileDescriptor out;
  FileDescriptor in;
};

template <class A>
Coroutine<std::string> ending_of(A awaitable) {
  auto end = co_await as_result(std::move(awaitable));
  co_return exception_name(end.exception()) + ": " +
      exception_message(end.exception());
}

// Puts another file in the place of a standard descriptor for a while.
class Redirected {
 public:
  Redirected(int standard, int fd)
      : standard_(standard), before_(fcntl(standard, F_DUPFD_CLOEXEC, 3)) {
    dup2(fd, standard_);
  }
  ~Redirected() {
    if (before_) {
      dup2(before_.get(), standard_);
    } else {
      close(standard_);
    }
  }

 private:
  const int standard_;
  FileDescriptor before_;
};

ASYNCIO_TEST(PipeTest, WhatIsWrittenIsRead) {
  Pipe pipe;
  StreamReader reader = co_await connect_read_pipe(pipe.out.release());
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  writer.write("one\ntwo");
  EXPECT_EQ(co_await reader.readline(), "one\n");
  writer.close();
  co_await writer.wait_closed();
  EXPECT_EQ(co_await reader.read(), "two");
  EXPECT_TRUE(reader.at_eof());
}

ASYNCIO_TEST(PipeTest, MoreThanThePipeHolds) {
  Pipe pipe;
  const std::string data = numbered_bytes(1'000'000);
  StreamReader reader = co_await connect_read_pipe(pipe.out.release());
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  Task<std::string> all = create_task(reader.read());
  writer.write(data);
  co_await writer.drain();
  writer.write_eof();
  EXPECT_EQ(co_await all, data);
}

ASYNCIO_TEST(PipeTest, AWriterWithoutReaderIsClosed) {
  Pipe pipe;
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  pipe.out.reset();
  EXPECT_EQ(co_await ending_of(writer.wait_closed()), ": ");
  EXPECT_TRUE(writer.is_closing());
  EXPECT_EQ(co_await ending_of(writer.drain()),
            "ConnectionResetError: Connection lost");
}

ASYNCIO_TEST(PipeTest, AWriterWithSomethingLeftToWriteIsBroken) {
  Pipe pipe;
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  writer.write(std::string(1'000'000, 'x'));
  pipe.out.reset();
  Result<> end = co_await as_result(writer.wait_closed());
  EXPECT_NE(end.get_if<BrokenPipeError>(), nullptr);
}

ASYNCIO_TEST(PipeTest, AnEmptyWriteWithoutReaderDoesNotCount) {
  Pipe pipe;
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  pipe.out.reset();
  co_await writer.wait_closed();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 9; ++i) {
    writer.write("");
    writer.writelines(std::array<std::string, 2>());
  }
  for (int i = 0; i < 4; ++i) writer.write("x");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  writer.write("x");
  writer.write("");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "pipe closed by peer or os.write(pipe, data) raised exception.\n");
}

// It has no reader that would keep the error.
ASYNCIO_TEST(PipeTest, OnlyTheDrainThatWaitedIsToldWhatBroke) {
  Pipe pipe;
  StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
  writer.write(std::string(1'000'000, 'x'));
  Task<> waiting = create_task(writer.drain());
  co_await sleep(0s);
  pipe.out.reset();
  EXPECT_THAT(co_await ending_of(waiting),
              testing::StartsWith("BrokenPipeError"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(co_await ending_of(writer.drain()),
              "ConnectionResetError: Connection lost");
  }
}

ASYNCIO_TEST(PipeTest, Fifo) {
  std::string folder = "/tmp/pipe_test_XXXXXX";
  CO_ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/fifo";
  CO_ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  StreamReader reader = co_await connect_read_pipe(
      open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  StreamWriter writer =
      co_await connect_write_pipe(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  writer.write("through a name\n");
  EXPECT_EQ(co_await reader.readline(), "through a name\n");
  unlink(path.c_str());
  rmdir(folder.c_str());
}

ASYNCIO_TEST(PipeTest, Socket) {
  SocketPair pair;
  StreamReader reader = co_await connect_read_pipe(dup(pair.a()));
  StreamWriter writer = co_await connect_write_pipe(dup(pair.b()));
  writer.write("x\n");
  EXPECT_EQ(co_await reader.readline(), "x\n");
}

ASYNCIO_TEST(PipeTest, Terminal) {
  FileDescriptor master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  CO_ASSERT_EQ(grantpt(master.get()), 0);
  CO_ASSERT_EQ(unlockpt(master.get()), 0);
  FileDescriptor slave(
      open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings;
  CO_ASSERT_EQ(tcgetattr(slave.get(), &settings), 0);
  cfmakeraw(&settings);
  CO_ASSERT_EQ(tcsetattr(slave.get(), TCSANOW, &settings), 0);
  StreamReader screen = co_await connect_read_pipe(dup(master.get()));
  StreamReader reader = co_await connect_read_pipe(dup(slave.get()));
  StreamWriter writer = co_await connect_write_pipe(dup(slave.get()));
  // What is typed does not concern the writer.
  CO_ASSERT_EQ(write(master.get(), "typed\n", 6), 6);
  EXPECT_EQ(co_await reader.readline(), "typed\n");
  co_await sleep(1ms);
  EXPECT_FALSE(writer.is_closing());
  writer.write("shown\n");
  EXPECT_EQ(co_await screen.readline(), "shown\n");
}

ASYNCIO_TEST(PipeTest, ARegularFileIsRefusedAndStaysTheCallers) {
  FILE* file = std::tmpfile();
  EXPECT_EQ(co_await ending_of(connect_read_pipe(fileno(file))),
            "ValueError: Pipe transport is for pipes/sockets only.");
  EXPECT_EQ(co_await ending_of(connect_write_pipe(fileno(file))),
            "ValueError: Pipe transport is only for pipes, sockets and "
            "character devices");
  EXPECT_EQ(fcntl(fileno(file), F_GETFL) & O_NONBLOCK, 0);
  std::fclose(file);
  EXPECT_EQ(co_await ending_of(connect_read_pipe(-1)),
            "OSError: [Errno 9] fstat on descriptor -1: Bad file descriptor");
}

ASYNCIO_TEST(StandardStreamsTest, DescriptorsStayOpenAndBlocking) {
  Pipe input;
  Pipe output;
  Pipe error;
  const Redirected in(STDIN_FILENO, input.out.get());
  const Redirected out(STDOUT_FILENO, output.in.get());
  const Redirected err(STDERR_FILENO, error.in.get());
  {
    StreamReader reader = co_await standard_input({.limit = 100});
    StreamWriter writer = co_await standard_output();
    StreamWriter errors = co_await standard_error();
    CO_ASSERT_EQ(write(input.in.get(), "line\n", 5), 5);
    const std::string line = co_await reader.readline();
    writer.write("> " + line);
    errors.write("! " + line);
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0) << fd;
    }
  }
  co_await sleep(1ms);
  std::array<char, 100> buffer;
  CO_ASSERT_EQ(read(output.out.get(), buffer.data(), 100), 7);
  EXPECT_EQ(std::string(buffer.data(), 7), "> line\n");
  CO_ASSERT_EQ(read(error.out.get(), buffer.data(), 100), 7);
  EXPECT_EQ(std::string(buffer.data(), 7), "! line\n");
  EXPECT_EQ(write(STDOUT_FILENO, "x", 1), 1);
}

ASYNCIO_TEST(StandardStreamsTest, ASocketWorksAsWell) {
  SocketPair pair;
  std::string line;
  {
    const Redirected in(STDIN_FILENO, pair.a());
    StreamReader reader = co_await standard_input();
    CO_ASSERT_EQ(write(pair.b(), "line\n", 5), 5);
    line = co_await reader.readline();
  }
  EXPECT_EQ(line, "line\n");
}

TEST(CancelPipeTest, NoByteIsLostOrDoubled) {
  const std::string data = numbered_bytes(40);
  cancel_everywhere([&](CancelScene& scene) -> Coroutine<> {
    Pipe pipe;
    auto reader = std::make_shared<StreamReader>(
        co_await connect_read_pipe(pipe.out.release()));
    auto received = std::make_shared<std::string>();
    scene.start([reader, received]() -> Coroutine<> {
      while (received->size() < 40) *received += co_await reader->read(7);
    });
    StreamWriter writer = co_await connect_write_pipe(pipe.in.release());
    for (size_t i = 0; i < 40; i += 20) {
      writer.write(data.substr(i, 20));
      co_await sleep(1ms);
    }
    static_cast<void>(co_await scene.ended());
    writer.close();
    *received += co_await reader->read();
    EXPECT_EQ(*received, data);
    co_await writer.wait_closed();
  });
}

}  // namespace
}  // namespace asyncio
