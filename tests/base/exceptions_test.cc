#include "asyncio/base/exceptions.h"

#include <cerrno>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>

#include "gtest/gtest.h"

namespace asyncio {
namespace {

template <class E>
constexpr bool is_exception = std::is_base_of_v<std::exception, E>;

template <class E>
class Outer {
 public:
  class Inner : public E {
   public:
    using E::E;
  };
};
struct Local final : ValueError {
  using ValueError::ValueError;
};

std::exception_ptr caught(void (*fn)()) {
  try {
    fn();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

// As by Python's `raise E(text) from LookupError()`.
template <class E>
std::exception_ptr nested(const char* text) {
  try {
    try {
      throw LookupError();
    } catch (const LookupError&) {
      std::throw_with_nested(E(text));
    }
  } catch (...) {
    return std::current_exception();
  }
}

TEST(ExceptionsTest, FamiliesAreThoseOfPython) {
  static_assert(!is_exception<CancelledError>);
  static_assert(!is_exception<KeyboardInterrupt>);
  static_assert(!is_exception<SystemExit>);
  static_assert(!is_exception<GeneratorExit>);
  static_assert(std::is_base_of_v<std::runtime_error, RuntimeError>);
  static_assert(std::is_base_of_v<std::invalid_argument, ValueError>);
  static_assert(std::is_base_of_v<RuntimeError, BrokenBarrierError>);
  static_assert(std::is_base_of_v<EOFError, IncompleteReadError>);
  static_assert(std::is_base_of_v<std::system_error, OSError>);
  static_assert(std::is_base_of_v<OSError, TimeoutError>);
  static_assert(std::is_base_of_v<ConnectionError, BrokenPipeError>);
  static_assert(std::is_base_of_v<ConnectionError, ConnectionResetError>);
}

TEST(ExceptionsTest, CarryTheirTexts) {
  EXPECT_STREQ(CancelledError().what(), "");
  EXPECT_EQ(CancelledError("why").message(), "why");
  EXPECT_STREQ(KeyboardInterrupt().what(), "");
  EXPECT_STREQ(SystemExit(3).what(), "3");
  EXPECT_EQ(SystemExit().code(), 0);
  EXPECT_STREQ(InvalidStateError("Result is not set.").what(),
               "Result is not set.");
  EXPECT_STREQ(TimeoutError().what(), "");
  EXPECT_STREQ(QueueEmpty().what(), "");
}

TEST(ExceptionsTest, IncompleteReadTellsHowMuchThereWas) {
  const IncompleteReadError fixed("ab", 5);
  EXPECT_STREQ(fixed.what(), "2 bytes read on a total of 5 expected bytes");
  EXPECT_EQ(fixed.partial(), "ab");
  EXPECT_EQ(fixed.expected(), 5u);
  const IncompleteReadError open("ab", std::nullopt);
  EXPECT_STREQ(open.what(),
               "2 bytes read on a total of undefined expected bytes");
  EXPECT_EQ(LimitOverrunError("too long", 7).consumed(), 7u);
}

TEST(OSErrorTest, NamesTheCall) {
  const OSError e(ECONNREFUSED, "connect to 127.0.0.1:80");
  EXPECT_STREQ(e.what(),
               "[Errno 111] connect to 127.0.0.1:80: Connection refused");
  EXPECT_EQ(e.error(), ECONNREFUSED);
  EXPECT_EQ(e.code(), std::errc::connection_refused);
  EXPECT_STREQ(OSError(EBADF, "").what(), "[Errno 9] Bad file descriptor");
}

template <class E>
bool becomes(int error) {
  try {
    throw_os_error(error, "call");
  } catch (const E& e) {
    return typeid(e) == typeid(E) && e.error() == error;
  } catch (...) {
    return false;
  }
}

TEST(OSErrorTest, ErrnoPicksTheClass) {
  EXPECT_TRUE(becomes<BlockingIOError>(EAGAIN));
  EXPECT_TRUE(becomes<BlockingIOError>(EINPROGRESS));
  EXPECT_TRUE(becomes<ChildProcessError>(ECHILD));
  EXPECT_TRUE(becomes<BrokenPipeError>(EPIPE));
  EXPECT_TRUE(becomes<BrokenPipeError>(ESHUTDOWN));
  EXPECT_TRUE(becomes<ConnectionAbortedError>(ECONNABORTED));
  EXPECT_TRUE(becomes<ConnectionRefusedError>(ECONNREFUSED));
  EXPECT_TRUE(becomes<ConnectionResetError>(ECONNRESET));
  EXPECT_TRUE(becomes<FileExistsError>(EEXIST));
  EXPECT_TRUE(becomes<FileNotFoundError>(ENOENT));
  EXPECT_TRUE(becomes<InterruptedError>(EINTR));
  EXPECT_TRUE(becomes<IsADirectoryError>(EISDIR));
  EXPECT_TRUE(becomes<NotADirectoryError>(ENOTDIR));
  EXPECT_TRUE(becomes<PermissionError>(EACCES));
  EXPECT_TRUE(becomes<PermissionError>(EPERM));
  EXPECT_TRUE(becomes<ProcessLookupError>(ESRCH));
  EXPECT_TRUE(becomes<TimeoutError>(ETIMEDOUT));
  EXPECT_TRUE(becomes<OSError>(EBADF));
}

TEST(ExceptionPtrTest, CastsToItsClassAndItsBases) {
  const auto e =
      std::make_exception_ptr(ConnectionResetError(ECONNRESET, "recv"));
  EXPECT_NE(exception_cast<ConnectionResetError>(e), nullptr);
  EXPECT_NE(exception_cast<ConnectionError>(e), nullptr);
  ASSERT_NE(exception_cast<std::exception>(e), nullptr);
  EXPECT_STREQ(exception_cast<std::exception>(e)->what(),
               "[Errno 104] recv: Connection reset by peer");
  EXPECT_EQ(exception_cast<OSError>(e)->error(), ECONNRESET);
  EXPECT_EQ(exception_cast<ValueError>(e), nullptr);
  EXPECT_EQ(exception_cast<CancelledError>(e), nullptr);
  EXPECT_EQ(exception_cast<ValueError>(std::exception_ptr()), nullptr);
}

TEST(ExceptionPtrTest, CastsWhatWasThrown) {
  const auto e = caught([] { throw CancelledError("now"); });
  ASSERT_NE(exception_cast<CancelledError>(e), nullptr);
  EXPECT_EQ(exception_cast<CancelledError>(e)->message(), "now");
  const auto number = caught([] { throw 5; });
  EXPECT_EQ(*exception_cast<int>(number), 5);
  EXPECT_EQ(exception_cast<std::exception>(number), nullptr);
  const auto text = caught([] { throw "text"; });
  EXPECT_EQ(exception_cast<std::exception>(text), nullptr);
}

TEST(ExceptionPtrTest, NameIsUnqualified) {
  EXPECT_EQ(exception_name(std::make_exception_ptr(ValueError("x"))),
            "ValueError");
  EXPECT_EQ(exception_name(std::make_exception_ptr(Local("x"))), "Local");
  EXPECT_EQ(
      exception_name(std::make_exception_ptr(Outer<RuntimeError>::Inner("x"))),
      "Inner");
  EXPECT_EQ(exception_name(std::make_exception_ptr(3)), "int");
  EXPECT_EQ(exception_name(nested<ValueError>("v")), "ValueError");
  EXPECT_EQ(exception_name(nested<Outer<RuntimeError>::Inner>("v")), "Inner");
  EXPECT_EQ(exception_repr(nested<ValueError>("v")), "ValueError('v')");
  EXPECT_EQ(exception_name(std::exception_ptr()), "");
  EXPECT_EQ(exception_name(static_cast<const std::exception&>(Local("x"))),
            "Local");
}

TEST(ExceptionPtrTest, MessageIsPythonsStr) {
  EXPECT_EQ(exception_message(std::make_exception_ptr(ValueError("x"))), "x");
  EXPECT_EQ(exception_message(std::make_exception_ptr(CancelledError("c"))),
            "c");
  EXPECT_EQ(exception_message(std::make_exception_ptr(KeyboardInterrupt("k"))),
            "k");
  EXPECT_EQ(exception_message(std::make_exception_ptr(SystemExit(2))), "2");
  EXPECT_EQ(exception_message(std::make_exception_ptr(GeneratorExit())), "");
  EXPECT_EQ(exception_message(std::make_exception_ptr(3)), "");
  EXPECT_EQ(exception_message(std::exception_ptr()), "");
  EXPECT_EQ(exception_message(ValueError("x")), "x");
}

TEST(ExceptionPtrTest, ReprIsPythons) {
  auto repr = [](auto e) { return exception_repr(std::make_exception_ptr(e)); };
  EXPECT_EQ(repr(ValueError("bad")), "ValueError('bad')");
  EXPECT_EQ(repr(ValueError("it's\n")), "ValueError(\"it's\\n\")");
  EXPECT_EQ(repr(TimeoutError()), "TimeoutError()");
  EXPECT_EQ(repr(CancelledError("c")), "CancelledError('c')");
  EXPECT_EQ(repr(SystemExit(0)), "SystemExit(0)");
  EXPECT_EQ(repr(3), "int()");
  EXPECT_EQ(exception_repr(nullptr), "");
}

TEST(ExceptionPtrTest, ReprOfAnOSErrorHasItsErrno) {
  EXPECT_EQ(exception_repr(make_os_error(ENOENT, "")),
            "FileNotFoundError(2, 'No such file or directory')");
  EXPECT_EQ(exception_repr(make_os_error(ECONNRESET, "recv")),
            "ConnectionResetError(104, 'recv: Connection reset by peer')");
  EXPECT_EQ(exception_repr(std::make_exception_ptr(OSError("text"))),
            "OSError('text')");
}

TEST(ExceptionPtrTest, InterruptsStopALoop) {
  using internal::stops_loop;
  EXPECT_TRUE(stops_loop(std::make_exception_ptr(KeyboardInterrupt())));
  EXPECT_TRUE(stops_loop(std::make_exception_ptr(SystemExit(1))));
  EXPECT_FALSE(stops_loop(std::make_exception_ptr(CancelledError())));
  EXPECT_FALSE(stops_loop(std::make_exception_ptr(GeneratorExit())));
  EXPECT_FALSE(stops_loop(nullptr));
}

}  // namespace
}  // namespace asyncio
