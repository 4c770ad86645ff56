// Streams on a kernel that is as unhelpful as it may be.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/gather.h"
#include "asyncio/tests/streams/faults.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

// The numbers from 0 on as lines: a byte that is lost, doubled or moved shows.
std::string numbered_lines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += std::to_string(i) + "\n";
  return lines;
}

// Writes `data` in pieces of many sizes, each when the one before is sent.
Coroutine<> send_in_pieces(const StreamWriter& writer, std::string data) {
  writer.transport().set_write_buffer_limits({.high = 0});
  for (size_t at = 0, size = 1; at < data.size();
       at += size, size = size * 3 % 101) {
    size = std::min(size, data.size() - at);
    writer.write(std::string_view(data).substr(at, size));
    co_await writer.drain();
  }
  writer.write_eof();
}

Coroutine<> expect_lines(const StreamReader& reader, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string line = co_await reader.readline();
    if (line != std::to_string(i) + "\n") {
      ADD_FAILURE() << "line " << i << " is \"" << line << "\"";
      co_return;
    }
  }
  EXPECT_EQ(co_await reader.readline(), "");
}

TEST(FaultTest, NoByteIsLostOnAKernelThatHesitates) {
  constexpr int kLines = 300;
  uint64_t faults = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    FaultySystem system;
    system.plan = seeded_plan(seed);
    const auto reports = run_with_faults(
        system, {.seed = seed, .rarity = 4}, []() -> Coroutine<> {
          auto [a, b] = co_await connected_pair();
          co_await gather(send_in_pieces(a.writer, numbered_lines(kLines)),
                          send_in_pieces(b.writer, numbered_lines(kLines)),
                          expect_lines(a.reader, kLines),
                          expect_lines(b.reader, kLines));
        });
    EXPECT_TRUE(reports.empty());
    faults += system.faults();
  }
  EXPECT_GT(faults, 1000u);
}

TEST(FaultTest, WritesOfEverySizeInPartsOfEverySize) {
  for (size_t most = 1; most <= 33; ++most) {
    FaultySystem system;
    system.plan = [most](std::string_view call, uint64_t number) -> Fault {
      if (call == "recv") return {};
      // Now and then nothing at all.
      if (number % 5 == 4) return {.error = EAGAIN};
      return {.most = most};
    };
    run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
      auto [a, b] = co_await connected_pair();
      std::string sent;
      for (size_t size = 0; size <= 40; ++size) {
        const std::string piece = numbered_lines(40).substr(0, size);
        a.writer.write(piece);
        const std::vector<std::string> list = {piece, "", piece};
        a.writer.writelines(list);
        for (int i = 0; i < 3; ++i) sent += piece;
      }
      a.writer.close();
      const std::string received = co_await b.reader.read();
      EXPECT_EQ(received, sent);
    });
  }
}

TEST(FaultTest, APeerThatSendsOneByteAtATime) {
  FaultySystem system;
  system.plan = [](std::string_view call, uint64_t) -> Fault {
    if (call == "recv") return {.most = 1};
    return {};
  };
  run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    a.writer.write("line\nexactly|;until;;some");
    a.writer.write_eof();
    EXPECT_EQ(co_await b.reader.readline(), "line\n");
    EXPECT_EQ(co_await b.reader.readexactly(8), "exactly|");
    EXPECT_EQ(co_await b.reader.readuntil(";;"), ";until;;");
    EXPECT_EQ(co_await b.reader.read(100), "s");
    EXPECT_EQ(co_await b.reader.read(), "ome");
  });
}

// What becomes of one connection whose `number`th `call` fails with `error`.
struct Ending {
  uint64_t calls = 0;  // of that name, that were made
  std::string sent;
  std::string received;
  std::string read_error;
  std::string write_error;
};

Ending end_with(const std::string& name, uint64_t broken, int error) {
  Ending ending;
  FaultySystem system;
  system.plan = [&](std::string_view call, uint64_t number) -> Fault {
    if (call == name && number == broken) return {.error = error};
    if (call == "send") return {.most = 7};
    return {};
  };
  const auto reports =
      run_with_faults(system, PollerFaults(), [&]() -> Coroutine<> {
        auto [a, b] = co_await connected_pair();
        auto write = [&]() -> Coroutine<> {
          for (int i = 0; i < 10; ++i) {
            const std::string line = std::to_string(i) + " of ten lines\n";
            a.writer.write(line);
            ending.sent += line;
            co_await a.writer.drain();
          }
          a.writer.close();
          co_await a.writer.wait_closed();
        };
        auto read = [&]() -> Coroutine<> {
          for (;;) {
            const std::string part = co_await b.reader.read(5);
            if (part.empty()) co_return;
            ending.received += part;
          }
        };
        auto writing = write();
        auto reading = read();
        auto ends = co_await gather(return_exceptions, std::move(writing),
                                    std::move(reading));
        const auto& [write_end, read_end] = ends;
        if (!write_end)
          ending.write_error = exception_name(write_end.exception());
        if (!read_end) ending.read_error = exception_name(read_end.exception());
      });
  EXPECT_TRUE(reports.empty());
  ending.calls = system.calls(name);
  return ending;
}

bool is_prefix(const std::string& part, const std::string& whole) {
  return whole.compare(0, part.size(), part) == 0;
}

TEST(FaultTest, AResetAtEveryReceiveIsToldToTheReader) {
  for (uint64_t broken = 0;; ++broken) {
    SCOPED_TRACE(broken);
    const Ending ending = end_with("recv", broken, ECONNRESET);
    if (ending.calls <= broken) {
      EXPECT_EQ(ending.received, ending.sent);
      EXPECT_GT(broken, 3u);
      break;
    }
    // Either end may have been the one.
    EXPECT_TRUE(is_prefix(ending.received, ending.sent));
    EXPECT_TRUE(ending.read_error == "ConnectionResetError" ||
                ending.write_error == "ConnectionResetError")
        << ending.read_error << " " << ending.write_error;
  }
}

TEST(FaultTest, AResetAtEverySendIsToldToTheWriter) {
  for (int error : {ECONNRESET, EPIPE}) {
    for (uint64_t broken = 0;; ++broken) {
      SCOPED_TRACE(broken);
      const Ending ending = end_with("send", broken, error);
      EXPECT_TRUE(is_prefix(ending.received, ending.sent));
      if (ending.calls <= broken) {
        EXPECT_EQ(ending.write_error, "");
        EXPECT_EQ(ending.received, ending.sent);
        EXPECT_GT(broken, 10u);
        break;
      }
      EXPECT_TRUE(ending.write_error == "ConnectionResetError" ||
                  ending.write_error == "BrokenPipeError")
          << ending.write_error;
    }
  }
}

TEST(FaultTest, AnErrorNamesTheCall) {
  FaultySystem system;
  system.plan = [](std::string_view call, uint64_t) -> Fault {
    if (call == "recv") return {.error = ETIMEDOUT};
    return {};
  };
  run_with_faults(system, PollerFaults(), []() -> Coroutine<> {
    auto [a, b] = co_await connected_pair();
    a.writer.write("x");
    const std::string end = co_await ending(b.reader.read());
    EXPECT_NE(end.find("TimeoutError"), std::string::npos) << end;
    EXPECT_NE(end.find("recv"), std::string::npos) << end;
  });
}

}  // namespace
}  // namespace asyncio
