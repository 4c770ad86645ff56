#include "asyncio/streams/stream_reader.h"

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/separators.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/async_generator.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait_for.h"
#include "asyncio/testing/cancel_everywhere.h"
#include "asyncio/testing/testing.h"
#include "asyncio/tests/streams/scripted_reader.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

ASYNCIO_TEST(StreamReaderTest, ReadGivesWhatIsThere) {
  ScriptedReader s;
  s.feed("abc");
  EXPECT_EQ(co_await s.reader.read(0), "");
  EXPECT_EQ(co_await s.reader.read(2), "ab");
  EXPECT_EQ(co_await s.reader.read(100), "c");
  auto waits = create_task(s.reader.read(100));
  co_await turns(2);
  EXPECT_FALSE(waits.done());
  s.feed("d");
  s.feed("e");
  EXPECT_EQ(co_await waits, "de");
  s.feed_eof();
  EXPECT_EQ(co_await s.reader.read(1), "");
  EXPECT_TRUE(s.reader.at_eof());
}

ASYNCIO_TEST(StreamReaderTest, ReadexactlyTellsWhatItHadAtTheEnd) {
  ScriptedReader s;
  s.feed("abc");
  s.feed_eof();
  const Result<std::string> end = co_await as_result(s.reader.readexactly(5));
  const auto* e = end.get_if<IncompleteReadError>();
  CO_ASSERT_TRUE(e != nullptr);
  EXPECT_EQ(e->partial(), "abc");
  EXPECT_EQ(e->expected(), 5u);
  EXPECT_STREQ(e->what(), "3 bytes read on a total of 5 expected bytes");
  EXPECT_EQ(s.buffered(), 0u);
}

ASYNCIO_TEST(StreamReaderTest, ReaduntilLeavesALongMessageInTheBuffer) {
  ScriptedReader s(3);
  s.feed("abcde");
  const Result<std::string> one = co_await as_result(s.reader.readuntil());
  const auto* not_found = one.get_if<LimitOverrunError>();
  CO_ASSERT_TRUE(not_found != nullptr);
  EXPECT_STREQ(not_found->what(),
               "Separator is not found, and chunk exceed the limit");
  EXPECT_EQ(not_found->consumed(), 5u);
  s.feed("\nx");
  const Result<std::string> two = co_await as_result(s.reader.readuntil());
  const auto* too_far = two.get_if<LimitOverrunError>();
  CO_ASSERT_TRUE(too_far != nullptr);
  EXPECT_STREQ(too_far->what(),
               "Separator is found, but chunk is longer than limit");
  EXPECT_EQ(too_far->consumed(), 5u);
  EXPECT_EQ(co_await s.reader.readexactly(7), "abcde\nx");
}

ASYNCIO_TEST(StreamReaderTest, TheSeparatorThatEndsFirstWins) {
  ScriptedReader s;
  s.feed("one\r\ntwo;three\n");
  EXPECT_EQ(co_await s.reader.readuntil({"\r\n", "\n", ";"}), "one\r\n");
  EXPECT_EQ(co_await s.reader.readuntil({"\r\n", "\n", ";"}), "two;");
  EXPECT_EQ(co_await s.reader.readuntil("\n"), "three\n");
  s.feed("xAAB");
  EXPECT_EQ(co_await s.reader.readuntil({"AAB", "AA"}), "xAA");
}

ASYNCIO_TEST(StreamReaderTest, SeparatorsAreStringsOrARangeOfThem) {
  ScriptedReader s;
  s.feed("a,b;c,d;e,f;g,h;i,");
  const std::string comma = ",";
  const char* const semicolon = ";";
  const std::vector<std::string> both = {",", ";"};
  const std::array<std::string_view, 2> same = {";", ","};
  EXPECT_EQ(co_await s.reader.readuntil(comma), "a,");
  EXPECT_EQ(co_await s.reader.readuntil(semicolon), "b;");
  EXPECT_EQ(co_await s.reader.readuntil(","), "c,");
  EXPECT_EQ(co_await s.reader.readuntil({comma, semicolon}), "d;");
  EXPECT_EQ(co_await s.reader.readuntil(both), "e,");
  EXPECT_EQ(co_await s.reader.readuntil({both}), "f;");
  EXPECT_EQ(co_await s.reader.readuntil(same), "g,");
  EXPECT_EQ(co_await s.reader.readuntil(Separators(both)), "h;");
  EXPECT_EQ(co_await s.reader.readuntil(std::string_view(comma)), "i,");
}

ASYNCIO_TEST(StreamReaderTest, ASeparatorMayComeInPieces) {
  ScriptedReader s;
  auto message = create_task(s.reader.readuntil("--end"));
  const std::string pieces[] = {"a-", "-e", "--e", "n", "d!"};
  for (const std::string& piece : pieces) {
    co_await turns();
    EXPECT_FALSE(message.done());
    s.feed(piece);
  }
  EXPECT_EQ(co_await message, "a--e--end");
  EXPECT_EQ(co_await s.reader.read(9), "!");
}

ASYNCIO_TEST(StreamReaderTest, SeparatorsAreChecked) {
  ScriptedReader s;
  s.feed("a");
  EXPECT_EQ(co_await ending(s.reader.readuntil("")),
            "ValueError: Separator should be at least one-byte string");
  EXPECT_EQ(co_await ending(s.reader.readuntil(Separators())),
            "ValueError: Separator should contain at least one element");
}

ASYNCIO_TEST(StreamReaderTest, ALongLineIsDropped) {
  ScriptedReader s(3);
  s.feed("abcdef\nok\n");
  EXPECT_EQ(co_await ending(s.reader.readline()),
            "ValueError: Separator is found, but chunk is longer than limit");
  EXPECT_EQ(co_await s.reader.readline(), "ok\n");
  s.feed("abcdef");
  EXPECT_EQ(co_await ending(s.reader.readline()),
            "ValueError: Separator is not found, and chunk exceed the limit");
  s.feed("\n");
  EXPECT_EQ(co_await s.reader.readline(), "\n");
}

ASYNCIO_TEST(StreamReaderTest, OneReadAtATime) {
  ScriptedReader s;
  auto one = create_task(s.reader.read(1));
  co_await turns();
  EXPECT_EQ(co_await ending(s.reader.read(1)),
            "RuntimeError: read() called while another coroutine is already "
            "waiting for incoming data");
  EXPECT_EQ(co_await ending(s.reader.readline()),
            "RuntimeError: readuntil() called while another coroutine is "
            "already waiting for incoming data");
  EXPECT_EQ(co_await ending(s.reader.readexactly(3)),
            "RuntimeError: readexactly() called while another coroutine is "
            "already waiting for incoming data");
  s.feed("ab");
  // The bytes are the first one's, which has not run yet.
  EXPECT_EQ(co_await ending(s.reader.read(1)),
            "RuntimeError: read() called while another coroutine is already "
            "waiting for incoming data");
  EXPECT_EQ(co_await one, "a");
  EXPECT_EQ(co_await s.reader.read(1), "b");
}

ASYNCIO_TEST(StreamReaderTest, AReadToTheEndLeavesNothingToOthers) {
  ScriptedReader s;
  auto all = create_task(s.reader.read());
  co_await turns();
  s.feed("hello");
  co_await turns();
  EXPECT_EQ(co_await ending(s.reader.read(2)),
            "RuntimeError: read() called while another coroutine is already "
            "waiting for incoming data");
  EXPECT_EQ(co_await s.reader.read(0), "");
  s.feed_eof();
  EXPECT_EQ(co_await all, "hello");
}

ASYNCIO_TEST(StreamReaderTest, AFailureIsThrownByEachRead) {
  ScriptedReader s;
  auto waits = create_task(s.reader.readline());
  co_await turns();
  s.feed("left");
  s.fail(std::make_exception_ptr(ValueError("lost")));
  EXPECT_EQ(co_await ending(std::move(waits)), "ValueError: lost");
  EXPECT_EQ(co_await ending(s.reader.read(1)), "ValueError: lost");
  EXPECT_EQ(co_await ending(s.reader.read(0)), "ValueError: lost");
}

// --- read_into(): what comes while it waits is in its memory at once.

Coroutine<std::string> read_some(const StreamReader& reader, size_t size) {
  std::string memory(size, '?');
  memory.resize(co_await reader.read_into(memory));
  co_return memory;
}

ASYNCIO_TEST(StreamReaderTest, ReadIntoGivesAllThatCameBeforeItsTurn) {
  ScriptedReader s;
  auto waits = create_task(read_some(s.reader, 5));
  co_await turns(1);
  s.feed("abc");
  EXPECT_EQ(s.buffered(), 3u);  // until the read has its turn
  s.feed("defg");
  EXPECT_EQ(s.buffered(), 7u);
  s.feed_eof();
  EXPECT_FALSE(s.reader.at_eof());
  EXPECT_EQ(co_await waits, "abcde");
  EXPECT_EQ(s.buffered(), 2u);
  EXPECT_EQ(co_await read_some(s.reader, 5), "fg");
  EXPECT_TRUE(s.reader.at_eof());
  EXPECT_EQ(co_await read_some(s.reader, 5), "");
}

ASYNCIO_TEST(StreamReaderTest, ACancelledReadIntoGivesItsBytesBackInOrder) {
  ScriptedReader s;
  auto waits = create_task(read_some(s.reader, 4));
  co_await turns(1);
  s.feed("ab");
  waits.cancel();
  s.feed("cd");
  s.feed("ef");
  EXPECT_EQ(s.buffered(), 6u);
  Result<std::string> end = co_await as_result(waits);
  EXPECT_TRUE(waits.cancelled());
  EXPECT_EQ(s.buffered(), 6u);
  // One that was cancelled before anything came has nothing put into it.
  auto again = create_task(read_some(s.reader, 100));
  EXPECT_EQ(co_await again, "abcdef");
  auto early = create_task(read_some(s.reader, 4));
  co_await turns(1);
  early.cancel();
  s.feed("gh");
  end = co_await as_result(early);
  EXPECT_EQ(co_await s.reader.read(10), "gh");
}

ASYNCIO_TEST(StreamReaderTest, AReadIntoWhoseFrameGoesGivesItsBytesBack) {
  ScriptedReader s;
  auto lines = [](const StreamReader& reader) -> AsyncGenerator<std::string> {
    co_yield co_await read_some(reader, 4);
  };
  auto generator =
      std::make_unique<AsyncGenerator<std::string>>(lines(s.reader));
  auto pull = [](AsyncGenerator<std::string>& g) -> Coroutine<> {
    static_cast<void>(co_await g.next());
  };
  auto waits = create_task(pull(*generator));
  co_await turns(1);
  s.feed("ab");
  generator = nullptr;
  EXPECT_EQ(s.buffered(), 2u);
  Result<> end = co_await as_result(waits);
  EXPECT_FALSE(end.has_value());
  EXPECT_EQ(co_await s.reader.read(10), "ab");
}

ASYNCIO_TEST(StreamReaderTest, ARequestCanBeAwaitedAgainAndAfterItsReader) {
  ScriptedReader s;
  std::string memory(2, '?');
  auto into = s.reader.read_into(memory);
  auto some = s.reader.read(2);
  auto until = s.reader.readuntil("-");
  s.reader = StreamReader();
  auto feeds = [&]() -> Coroutine<> {
    co_await turns(1);
    s.feed("abcd");
    co_await turns(3);
    s.feed("efgh");
    co_await turns(3);
    s.feed("i-j-");
  };
  auto feeder = create_task(feeds());
  EXPECT_EQ(co_await into, 2u);
  EXPECT_EQ(memory, "ab");
  EXPECT_EQ(co_await into, 2u);
  EXPECT_EQ(memory, "cd");
  EXPECT_EQ(co_await some, "ef");
  EXPECT_EQ(co_await some, "gh");
  EXPECT_EQ(co_await until, "i-");
  auto copy = until;
  EXPECT_EQ(co_await copy, "j-");
  co_await feeder;
}

ASYNCIO_TEST(StreamReaderTest, AFailureComesAfterWhatWasPutIntoARead) {
  ScriptedReader s;
  auto waits = create_task(read_some(s.reader, 4));
  co_await turns(1);
  s.feed("ab");
  s.fail(std::make_exception_ptr(ValueError("lost")));
  EXPECT_EQ(co_await waits, "ab");
  EXPECT_THROW(co_await read_some(s.reader, 4), ValueError);
}

ASYNCIO_TEST(StreamReaderTest, ATimeoutLosesNoByte) {
  ScriptedReader s;
  s.feed("half a ");
  EXPECT_EQ(co_await ending(wait_for(s.reader.readline(), 1s)),
            "TimeoutError: ");
  s.feed("line\n");
  EXPECT_EQ(co_await s.reader.readline(), "half a line\n");
}

// Each line is numbered; the reader is cancelled at every turn, before and
// after it was woken, and nothing is lost or comes twice.
TEST(StreamReaderCancelTest, NoByteIsLostOrDoubled) {
  cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
    ScriptedReader s;
    std::string got;
    scene.start([&]() -> Coroutine<> {
      for (int i = 0; i < 2; ++i) {
        got += co_await s.reader.readline();
        got += co_await s.reader.readexactly(3);
        got += co_await s.reader.readuntil({";", "::"});
        got += co_await s.reader.read(2);
      }
    });
    std::string sent;
    const std::string pieces[] = {"1",     "\n2", "22",    "3;", "44",
                                  "5\n66", "6:",  ":778;", "99", "rest"};
    for (const std::string& piece : pieces) {
      s.feed(piece);
      sent += piece;
      co_await turns(2);
    }
    s.feed_eof();
    const Result<> end = co_await scene.ended();
    EXPECT_EQ(end.has_value(), !scene.cancels());
    got += co_await s.reader.read();
    EXPECT_EQ(got, sent);
  });
}

}  // namespace
}  // namespace asyncio
