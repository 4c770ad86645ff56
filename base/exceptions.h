// The exceptions of this library: Python's names, Python's hierarchy.
//
//   try {
//     co_await wait_for(fetch(), 1s);
//   } catch (const TimeoutError&) {
//     ...
//   }
//
// Two families. What Python derives from Exception is a std::exception here.
// What Python derives from BaseException alone (CancelledError,
// KeyboardInterrupt, SystemExit, GeneratorExit) is not, so that
// `catch (const std::exception&)` lets a cancellation pass; whoever writes
// `catch (...)` rethrows what is not theirs.
//
// what() is Python's str(exc).
#ifndef ASYNCIO_BASE_EXCEPTIONS_H_
#define ASYNCIO_BASE_EXCEPTIONS_H_

#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>

namespace asyncio {

// --- BaseException: not a std::exception.

// Thrown at an await of a task that was asked to stop. Clean up, then let it
// pass: who swallows it keeps running with `cancelling() > 0`.
class CancelledError {
 public:
  CancelledError() = default;
  explicit CancelledError(std::string_view message) : message_(message) {}

  // The text given to cancel(), empty where none was given.
  const std::string& message() const noexcept { return message_; }
  const char* what() const noexcept { return message_.c_str(); }

 private:
  // Of the one without a text all share an object.
  const std::string message_;
};

// Ctrl-C. It leaves run() and run_forever() at once.
class KeyboardInterrupt {
 public:
  KeyboardInterrupt() = default;
  explicit KeyboardInterrupt(std::string_view message) : message_(message) {}
  const char* what() const noexcept { return message_.c_str(); }

 private:
  std::string message_;
};

// Asks the program to end with code(). It leaves run() and run_forever() at
// once.
class SystemExit {
 public:
  explicit SystemExit(int code = 0)
      : code_(code), message_(std::to_string(code)) {}
  int code() const noexcept { return code_; }
  const char* what() const noexcept { return message_.c_str(); }

 private:
  int code_;
  std::string message_;
};

// Thrown at the co_yield of a generator that is being closed.
class GeneratorExit {
 public:
  const char* what() const noexcept { return ""; }
};

// --- Exception: a std::exception.

class RuntimeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ValueError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

class TypeError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

namespace internal {
// A std::exception that is nothing but a name and a text.
class MessageError : public std::exception {
 public:
  MessageError() = default;
  explicit MessageError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};
}  // namespace internal

// A context variable without a value.
class LookupError : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

class EOFError : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

// A result asked of a future that has none yet, or given to one that is done.
class InvalidStateError : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

class QueueEmpty : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

class QueueFull : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

class QueueShutDown : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

class BrokenBarrierError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
  BrokenBarrierError() : RuntimeError("") {}
};

// sendfile() cannot take this file to this socket, and no fallback is wanted.
class SendfileNotAvailableError : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

// The stream ended before the read was complete.
class IncompleteReadError : public EOFError {
 public:
  // `expected` is empty where the end of the message was a separator.
  IncompleteReadError(std::string partial, std::optional<size_t> expected);

  const std::string& partial() const noexcept { return partial_; }
  std::optional<size_t> expected() const noexcept { return expected_; }

 private:
  std::string partial_;
  std::optional<size_t> expected_;
};

// No separator within the limit of the stream.
class LimitOverrunError : public internal::MessageError {
 public:
  LimitOverrunError(std::string message, size_t consumed)
      : MessageError(std::move(message)), consumed_(consumed) {}

  // How many bytes can be read before the reader is where the search stopped.
  size_t consumed() const noexcept { return consumed_; }

 private:
  size_t consumed_;
};

// --- OSError and the subclasses that errno chooses.

// A failure of the kernel: code() is the errno, what() names the call and the
// address or path: "[Errno 111] connect to 127.0.0.1:80: Connection refused".
class OSError : public std::system_error {
 public:
  // `what_failed`: "connect to 127.0.0.1:80", "open /etc/motd".
  OSError(int error, std::string_view what_failed);
  explicit OSError(std::string text);

  int error() const noexcept { return code().value(); }
  const char* what() const noexcept override { return text_.c_str(); }

 protected:
  // With an errno of another kind: "[Errno -2] getaddrinfo a:80: ...".
  OSError(const std::error_code& code, std::string_view what_failed);

 private:
  std::string text_;
};

#define ASYNCIO_INTERNAL_OS_ERROR(Name, Base) \
  class Name : public Base {                  \
   public:                                    \
    using Base::Base;                         \
  }

ASYNCIO_INTERNAL_OS_ERROR(BlockingIOError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(ChildProcessError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(ConnectionError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(BrokenPipeError, ConnectionError);
ASYNCIO_INTERNAL_OS_ERROR(ConnectionAbortedError, ConnectionError);
ASYNCIO_INTERNAL_OS_ERROR(ConnectionRefusedError, ConnectionError);
ASYNCIO_INTERNAL_OS_ERROR(ConnectionResetError, ConnectionError);
ASYNCIO_INTERNAL_OS_ERROR(FileExistsError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(FileNotFoundError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(InterruptedError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(IsADirectoryError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(NotADirectoryError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(PermissionError, OSError);
ASYNCIO_INTERNAL_OS_ERROR(ProcessLookupError, OSError);

#undef ASYNCIO_INTERNAL_OS_ERROR

// A deadline passed; as in Python also what ETIMEDOUT becomes.
class TimeoutError : public OSError {
 public:
  using OSError::OSError;
  TimeoutError() : OSError(std::string()) {}
};

// The OSError, or the subclass of it, that `error` stands for in Python.
[[noreturn]] void throw_os_error(int error, std::string_view what_failed);
std::exception_ptr make_os_error(int error, std::string_view what_failed);

// --- Looking at an exception_ptr.

namespace internal {
// The exception as a `type`, or null where it is none. Throws nothing.
const void* cast_exception(const std::exception_ptr& exception,
                           const std::type_info& type) noexcept;

// Whether it is a CancelledError without a text, and of no class derived from it:
// any other of that kind can stand for it.
bool is_plain_cancellation(const std::exception_ptr& exception) noexcept;
// Such a one, always the same, which nobody can write to: so nothing is allocated
// for who asks how a task ended, and one that was cancelled keeps none.
const std::exception_ptr& plain_cancelled_error();

// Python's `except (KeyboardInterrupt, SystemExit)`: what stops a loop.
bool stops_loop(const std::exception_ptr& exception) noexcept;
}  // namespace internal

// The exception as an `E` or something derived from it, else null. It lives as
// long as the exception_ptr does. Cost: no throw.
template <class E>
const E* exception_cast(const std::exception_ptr& exception) noexcept {
  return static_cast<const E*>(internal::cast_exception(exception, typeid(E)));
}

// The unqualified name of its class: "ValueError". Empty for a null pointer.
std::string exception_name(const std::exception_ptr& exception);
std::string exception_name(const std::exception& exception);

// Python's str(exc): what(), of a std::exception and of those that run() knows; empty
// of others.
std::string exception_message(const std::exception_ptr& exception);
std::string exception_message(const std::exception& exception);

// Python's repr(exc), with the text for its only argument where there is one:
// "ValueError('bad')", "TimeoutError()". Of an OSError "(2, 'No such file or
// directory')", of a group "('message', [ValueError('a'), TypeError('b')])".
std::string exception_repr(const std::exception_ptr& exception);

}  // namespace asyncio

#endif  // ASYNCIO_BASE_EXCEPTIONS_H_
