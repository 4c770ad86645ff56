#include "asyncio/base/exceptions.h"

#include <cxxabi.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>

#include "asyncio/base/exception_group.h"
#include "asyncio/base/internal/repr.h"

namespace asyncio {
namespace {

std::string incomplete_read_text(size_t partial,
                                 std::optional<size_t> expected) {
  return std::to_string(partial) + " bytes read on a total of " +
         (expected ? std::to_string(*expected) : "undefined") +
         " expected bytes";
}

std::string errno_prefix(int error) {
  return "[Errno " + std::to_string(error) + "] ";
}

std::string os_error_text(const std::error_code& code,
                          std::string_view what_failed) {
  std::string text = errno_prefix(code.value());
  if (!what_failed.empty()) text.append(what_failed).append(": ");
  return text + code.message();
}

// "asyncio::ValueError" -> "ValueError"; template arguments stay.
std::string unqualified(std::string name) {
  size_t depth = 0;
  size_t start = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<' || name[i] == '(') ++depth;
    if (name[i] == '>' || name[i] == ')') --depth;
    if (depth == 0 && name[i] == ':') start = i + 1;
  }
  return name.substr(start);
}

std::string class_name(const std::type_info& type) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  std::string name = unqualified(status == 0 ? demangled.get() : type.name());
  // What std::throw_with_nested() throws is of a class derived from the one that
  // is meant.
  static constexpr std::string_view kNested = "_Nested_exception<";
  if (name.starts_with(kNested) && name.ends_with('>')) {
    name = unqualified(
        name.substr(kNested.size(), name.size() - kNested.size() - 1));
  }
  return name;
}

// What exception_repr() has between its parentheses.
std::string repr_arguments(const std::exception_ptr& exception) {
  if (auto* group = exception_cast<BaseExceptionGroup>(exception)) {
    std::string list;
    for (const std::exception_ptr& e : group->exceptions()) {
      if (!list.empty()) list += ", ";
      list += exception_repr(e);
    }
    return internal::repr(group->message()) + ", [" + list + "]";
  }
  const std::string message = exception_message(exception);
  if (exception_cast<SystemExit>(exception) != nullptr) return message;
  if (auto* e = exception_cast<OSError>(exception)) {
    const std::string prefix = errno_prefix(e->error());
    if (message.starts_with(prefix)) {
      return std::to_string(e->error()) + ", " +
             internal::repr(message.substr(prefix.size()));
    }
  }
  return message.empty() ? "" : internal::repr(message);
}

template <class Call>
auto with_os_error(int error, Call&& call) {
  switch (error) {
    case EAGAIN:
    case EALREADY:
    case EINPROGRESS:
      return call(std::in_place_type<BlockingIOError>);
    case ECHILD:
      return call(std::in_place_type<ChildProcessError>);
    case EPIPE:
    case ESHUTDOWN:
      return call(std::in_place_type<BrokenPipeError>);
    case ECONNABORTED:
      return call(std::in_place_type<ConnectionAbortedError>);
    case ECONNREFUSED:
      return call(std::in_place_type<ConnectionRefusedError>);
    case ECONNRESET:
      return call(std::in_place_type<ConnectionResetError>);
    case EEXIST:
      return call(std::in_place_type<FileExistsError>);
    case ENOENT:
      return call(std::in_place_type<FileNotFoundError>);
    case EINTR:
      return call(std::in_place_type<InterruptedError>);
    case EISDIR:
      return call(std::in_place_type<IsADirectoryError>);
    case ENOTDIR:
      return call(std::in_place_type<NotADirectoryError>);
    case EACCES:
    case EPERM:
      return call(std::in_place_type<PermissionError>);
    case ESRCH:
      return call(std::in_place_type<ProcessLookupError>);
    case ETIMEDOUT:
      return call(std::in_place_type<TimeoutError>);
    default:
      return call(std::in_place_type<OSError>);
  }
}

}  // namespace

IncompleteReadError::IncompleteReadError(std::string partial,
                                         std::optional<size_t> expected)
    : EOFError(incomplete_read_text(partial.size(), expected)),
      partial_(std::move(partial)),
      expected_(expected) {}

OSError::OSError(int error, std::string_view what_failed)
    : OSError(std::error_code(error, std::generic_category()), what_failed) {}

OSError::OSError(const std::error_code& code, std::string_view what_failed)
    : std::system_error(code), text_(os_error_text(code, what_failed)) {}

OSError::OSError(std::string text)
    : std::system_error(0, std::generic_category()), text_(std::move(text)) {}

void throw_os_error(int error, std::string_view what_failed) {
  std::rethrow_exception(make_os_error(error, what_failed));
}

std::exception_ptr make_os_error(int error, std::string_view what_failed) {
  return with_os_error(error,
                       [&]<class E>(std::in_place_type_t<E>) {
                         return std::make_exception_ptr(E(error, what_failed));
                       });
}

namespace internal {
namespace {

// libstdc++'s exception_ptr is a pointer to the exception object.
void* exception_object(const std::exception_ptr& exception) {
  static_assert(sizeof(exception) == sizeof(void*));
  void* object = nullptr;
  std::memcpy(&object, &exception, sizeof object);
  return object;
}

}  // namespace

const void* cast_exception(const std::exception_ptr& exception,
                           const std::type_info& type) noexcept {
  if (!exception) return nullptr;
  // Its type_info answers what a catch clause would: no throw is needed to look.
  void* object = exception_object(exception);
  const std::type_info* thrown = exception.__cxa_exception_type();
  if (*thrown == type) return object;
  return type.__do_catch(thrown, &object, 1) ? object : nullptr;
}

bool is_plain_cancellation(const std::exception_ptr& exception) noexcept {
  if (!exception ||
      *exception.__cxa_exception_type() != typeid(CancelledError)) {
    return false;
  }
  const auto* error =
      static_cast<const CancelledError*>(exception_object(exception));
  return error->message().empty();
}

const std::exception_ptr& plain_cancelled_error() {
  // Never destroyed: it is asked for as long as there are tasks.
  static const std::exception_ptr& instance =
      *new std::exception_ptr(std::make_exception_ptr(CancelledError()));
  return instance;
}

bool stops_loop(const std::exception_ptr& exception) noexcept {
  return exception_cast<KeyboardInterrupt>(exception) != nullptr ||
         exception_cast<SystemExit>(exception) != nullptr;
}

}  // namespace internal

std::string exception_name(const std::exception_ptr& exception) {
  if (!exception) return "";
  return class_name(*exception.__cxa_exception_type());
}

std::string exception_name(const std::exception& exception) {
  return class_name(typeid(exception));
}

std::string exception_message(const std::exception_ptr& exception) {
  if (auto* e = exception_cast<std::exception>(exception)) return e->what();
  if (auto* e = exception_cast<CancelledError>(exception)) return e->what();
  if (auto* e = exception_cast<KeyboardInterrupt>(exception)) return e->what();
  if (auto* e = exception_cast<SystemExit>(exception)) return e->what();
  if (auto* e = exception_cast<BaseExceptionGroup>(exception)) return e->what();
  return "";
}

std::string exception_message(const std::exception& exception) {
  return exception.what();
}

std::string exception_repr(const std::exception_ptr& exception) {
  if (!exception) return "";
  return exception_name(exception) + "(" + repr_arguments(exception) + ")";
}

}  // namespace asyncio
