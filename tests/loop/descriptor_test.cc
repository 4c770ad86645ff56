// add_reader(), add_writer() and the poller behind them.
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <signal.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/tests/loop/loop_fixture.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  operator int() const { return fd_; }  // NOLINT: implicit

 private:
  int fd_;
};

class DescriptorTest : public LoopFixture {
 protected:
  DescriptorTest() {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    in = Fd(fds[0]);
    out = Fd(fds[1]);
    EXPECT_EQ(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
        0);
    left = Fd(fds[0]);
    right = Fd(fds[1]);
  }

  static void send(int fd, const std::string& text) {
    ASSERT_EQ(write(fd, text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  static std::string receive(int fd) {
    char buffer[100];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : "";
  }

  Fd in, out;      // a pipe
  Fd left, right;  // a socket pair
};

TEST_F(DescriptorTest, ReaderIsCalledWhenBytesHaveCome) {
  loop.add_reader(in, [this] {
    log += receive(in);
    loop.stop();
  });
  run_iterations();
  EXPECT_EQ(log, "");
  send(out, "hello");
  loop.run_forever();
  EXPECT_EQ(log, "hello");
}

TEST_F(DescriptorTest, ReaderIsCalledInEachIterationWhileBytesAreLeft) {
  loop.add_reader(in, note("r"));
  send(out, "x");
  run_iterations(3);
  EXPECT_EQ(log, "rrr");
}

TEST_F(DescriptorTest, ReaderIsGivenItsArguments) {
  loop.add_reader(
      in,
      [this](int fd, const std::string& tail) { log += receive(fd) + tail; },
      static_cast<int>(in), "!");
  send(out, "x");
  run_iterations();
  EXPECT_EQ(log, "x!");
}

TEST_F(DescriptorTest, WriterIsCalledWhileThereIsRoom) {
  loop.add_writer(out, note("w"));
  run_iterations(2);
  EXPECT_EQ(log, "ww");
  const std::string block(65536, 'x');
  while (write(out, block.data(), block.size()) > 0) {
  }
  run_iterations();
  EXPECT_EQ(log, "ww");
}

TEST_F(DescriptorTest, ReaderAndWriterOfOneDescriptorAreBothCalled) {
  loop.add_reader(left, note("r"));
  loop.add_writer(left, note("w"));
  run_iterations();
  EXPECT_EQ(log, "w");
  send(right, "x");
  run_iterations();
  EXPECT_EQ(log, "wrw");
  EXPECT_TRUE(loop.remove_writer(left));
  run_iterations();
  EXPECT_EQ(log, "wrwr");
  EXPECT_TRUE(loop.remove_reader(left));
  run_iterations();
  EXPECT_EQ(log, "wrwr");
}

TEST_F(DescriptorTest, EventsComeBeforeTimersAndBehindWhatIsReady) {
  loop.add_reader(in, note("r"));
  send(out, "x");
  loop.call_later(0s, note("t"));
  loop.call_soon(note("s"));
  run_iterations();
  EXPECT_EQ(log, "srt");
}

TEST_F(DescriptorTest, BusyQueueDoesNotStarveDescriptors) {
  std::function<void()> again = [&] { loop.call_soon(again); };
  again();
  loop.add_reader(in, [this] { loop.stop(); });
  send(out, "x");
  loop.run_forever();
}

TEST_F(DescriptorTest, AddingAgainReplacesTheCallable) {
  auto token = std::make_shared<int>();
  loop.add_reader(in, [this, token] { log += "old"; });
  loop.add_reader(in, note("new"));
  EXPECT_EQ(token.use_count(), 1);
  send(out, "x");
  run_iterations();
  EXPECT_EQ(log, "new");
}

TEST_F(DescriptorTest, RemoveTellsWhetherThereWasOne) {
  EXPECT_FALSE(loop.remove_reader(in));
  auto token = std::make_shared<int>();
  loop.add_reader(in, [token] {});
  EXPECT_FALSE(loop.remove_writer(in));
  EXPECT_TRUE(loop.remove_reader(in));
  EXPECT_FALSE(loop.remove_reader(in));
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(DescriptorTest, RemovedInTheSameBatchIsNotCalled) {
  loop.add_reader(in, note("in"));
  loop.add_reader(left, note("left"));
  send(out, "x");
  send(right, "x");
  loop.call_soon([this] {
    loop.remove_reader(in);
    loop.remove_reader(left);
  });
  run_iterations(2);
  EXPECT_EQ(log, "");
}

TEST_F(DescriptorTest, ReplacedInTheSameBatchWaitsForTheNextPoll) {
  loop.add_reader(left, note("old"));
  loop.add_writer(left, note("w"));
  send(right, "x");
  loop.call_soon([this] { loop.add_reader(left, note("new")); });
  run_iterations();
  EXPECT_EQ(log, "w");
  run_iterations();
  EXPECT_EQ(log, "wneww");
}

TEST_F(DescriptorTest, ReaderMayRemoveItselfAndTheWriterBesideIt) {
  auto token = std::make_shared<int>(3);
  loop.add_writer(left, note("w"));
  loop.add_reader(left, [this, token] {
    loop.remove_reader(left);
    loop.remove_writer(left);
    log += std::to_string(*token);  // still here
  });
  send(right, "x");
  run_iterations(2);
  EXPECT_EQ(log, "3");
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(DescriptorTest, ReaderMayRemoveItselfAndAddAnother) {
  loop.add_reader(in, [this] {
    log += "a";
    loop.remove_reader(in);
    loop.add_reader(in, note("b"));
  });
  send(out, "x");
  run_iterations(2);
  EXPECT_EQ(log, "ab");
}

TEST_F(DescriptorTest, ExceptionOfAReaderIsReportedAndItStays) {
  loop.add_reader(in, [] { throw ValueError("bad"); });
  send(out, "x");
  run_iterations(2);
  EXPECT_EQ(reports.size(), 2u);
  reports.clear();
}

TEST_F(DescriptorTest, InterruptOfAReaderLeavesTheLoopAndTheWatch) {
  loop.add_reader(in, [this] {
    log += receive(in);
    throw KeyboardInterrupt();
  });
  send(out, "x");
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  send(out, "y");
  EXPECT_THROW(loop.run_forever(), KeyboardInterrupt);
  EXPECT_EQ(log, "xy");
}

TEST_F(DescriptorTest, HangUpIsToldToTheReader) {
  loop.add_reader(in, [this] {
    log += "end" + receive(in);
    loop.remove_reader(in);
  });
  out.close();
  run_iterations();
  EXPECT_EQ(log, "end");
}

TEST_F(DescriptorTest, ErrorIsToldToTheWriter) {
  loop.add_writer(out, [this] {
    log += write(out, "x", 1) < 0 && errno == EPIPE ? "broken" : "?";
    loop.remove_writer(out);
  });
  signal(SIGPIPE, SIG_IGN);
  in.close();
  run_iterations();
  EXPECT_EQ(log, "broken");
}

TEST_F(DescriptorTest, RegularFileIsRefusedByTheCallsName) {
  char path[] = "/tmp/asyncio_descriptor_XXXXXX";
  Fd file(mkstemp(path));
  unlink(path);
  const std::string text =
      thrown<PermissionError>([&] { loop.add_reader(file, [] {}); });
  EXPECT_EQ(text, "[Errno 1] epoll_ctl on descriptor " +
                      std::to_string(static_cast<int>(file)) +
                      ": Operation not permitted");
  EXPECT_FALSE(loop.remove_reader(file));
}

TEST_F(DescriptorTest, WhatIsNoDescriptorIsRefused) {
  EXPECT_EQ(thrown<ValueError>([&] { loop.add_reader(-1, [] {}); }),
            "Invalid file descriptor: -1");
  EXPECT_EQ(thrown<ValueError>([&] { loop.add_writer(-5, [] {}); }),
            "Invalid file descriptor: -5");
  EXPECT_EQ(thrown<ValueError>([&] { loop.remove_reader(-1); }),
            "Invalid file descriptor: -1");
  EXPECT_EQ(thrown<ValueError>([&] { loop.remove_writer(-1); }),
            "Invalid file descriptor: -1");
  const int number = in;
  in.close();
  EXPECT_EQ(thrown<OSError>([&] { loop.add_reader(number, [] {}); }),
            "[Errno 9] epoll_ctl on descriptor " + std::to_string(number) +
                ": Bad file descriptor");
  EXPECT_FALSE(loop.remove_reader(number));
}

TEST_F(DescriptorTest, NumberThatWasClosedAndUsedAgainIsWatchedAnew) {
  loop.add_reader(in, note("old"));
  ASSERT_EQ(dup3(left, in, O_CLOEXEC), static_cast<int>(in));
  loop.add_reader(in, note("new"));
  send(right, "x");
  run_iterations();
  EXPECT_EQ(log, "new");
}

TEST_F(DescriptorTest, ClosedDescriptorCanBeRemovedWithoutAnError) {
  loop.add_reader(left, note("r"));
  loop.add_writer(left, note("w"));
  const int number = left;
  left.close();
  EXPECT_TRUE(loop.remove_reader(number));
  EXPECT_TRUE(loop.remove_writer(number));
  run_iterations();
  EXPECT_EQ(log, "");
}

TEST_F(DescriptorTest, FileThatLivesOnAfterItsNumberIsGoneHarmsNobody) {
  Fd copy(dup(in));
  const int number = in;
  loop.add_reader(in, note("old"));
  in.close();
  loop.remove_reader(number);  // too late for the kernel
  send(out, "x");
  run_iterations();
  EXPECT_EQ(log, "");
  // Back at its old number it is watched by the new callable.
  ASSERT_EQ(dup3(copy, number, O_CLOEXEC), number);
  in = Fd(number);
  loop.add_reader(in, note("new"));
  run_iterations();
  EXPECT_EQ(log, "new");
}

TEST_F(DescriptorTest, MoreThanOnePollCanHoldAreAllCalled) {
  constexpr size_t kCount = 600;
  std::vector<Fd> fds;
  std::vector<int> calls(kCount, 0);
  send(out, "x");
  for (size_t i = 0; i < kCount; ++i) {
    fds.emplace_back(fcntl(in, F_DUPFD_CLOEXEC, 0));
    if (fds.back() < 0) GTEST_SKIP() << "too few descriptors allowed";
    loop.add_reader(fds.back(), [&calls, i] { ++calls[i]; });
  }
  run_iterations(6);
  for (size_t i = 0; i < kCount; ++i) EXPECT_GT(calls[i], 0) << i;
  for (const Fd& fd : fds) EXPECT_TRUE(loop.remove_reader(fd));
}

TEST_F(DescriptorTest, CloseGivesUpTheWatches) {
  auto token = std::make_shared<int>();
  loop.add_reader(in, [token] {});
  loop.add_writer(left, [token] {});
  loop.close();
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(DescriptorTest, EventsOfAnotherThreadEndTheWait) {
  loop.add_reader(in, [this] {
    log += receive(in);
    loop.stop();
  });
  std::thread writer([this] { send(out, "x"); });
  loop.run_forever();
  writer.join();
  EXPECT_EQ(log, "x");
}

TEST_F(DescriptorTest, EventsComeBeforeVirtualTimeMoves) {
  loop.add_reader(in,
                  [this] { log += receive(in) + to_string(clock.elapsed()); });
  loop.call_soon([this] { send(out, "x"); });
  run_for(1h);
  EXPECT_EQ(log, "x0");
}

}  // namespace
}  // namespace asyncio
