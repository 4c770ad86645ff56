// BaseExceptionGroup and ExceptionGroup: several exceptions thrown as one
// (PEP 654).
//
//   try {
//     co_await with(TaskGroup(), ...);
//   } catch (const ExceptionGroup& group) {
//     auto [timeouts, rest] = group.split<TimeoutError>();
//     if (timeouts) log(timeouts->what());
//     if (rest) std::rethrow_exception(rest->as_exception());
//   }
//
// A group of std::exceptions alone is an ExceptionGroup, which is a
// std::exception itself; one that holds a CancelledError or the like is only a
// BaseExceptionGroup. make_exception_group() picks the right one.
#ifndef ASYNCIO_BASE_EXCEPTION_GROUP_H_
#define ASYNCIO_BASE_EXCEPTION_GROUP_H_

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"

namespace asyncio {

class BaseExceptionGroup {
 public:
  // ValueError where `exceptions` is empty or holds a null pointer.
  BaseExceptionGroup(std::string message,
                     std::vector<std::exception_ptr> exceptions);
  virtual ~BaseExceptionGroup() = default;
  BaseExceptionGroup(const BaseExceptionGroup&) = default;
  BaseExceptionGroup& operator=(const BaseExceptionGroup&) = default;

  const std::string& message() const noexcept { return message_; }
  const std::vector<std::exception_ptr>& exceptions() const noexcept {
    return exceptions_;
  }
  // "unhandled errors in a TaskGroup (2 sub-exceptions)"
  virtual const char* what() const noexcept { return what_.c_str(); }

  // The same tree with only the leaves that match, and with only those that do
  // not; an empty side is an empty optional. Nested groups keep their messages; a
  // group that is an `E` itself matches as a whole.
  template <class E>
  std::pair<std::optional<BaseExceptionGroup>,
            std::optional<BaseExceptionGroup>>
  split() const {
    if constexpr (std::is_base_of_v<E, BaseExceptionGroup>) {
      return {*this, std::nullopt};
    } else if constexpr (std::is_polymorphic_v<E>) {
      if (dynamic_cast<const E*>(this) != nullptr) return {*this, std::nullopt};
    }
    return split_by([](const std::exception_ptr& e) {
      return exception_cast<E>(e) != nullptr;
    });
  }
  template <class E>
  std::optional<BaseExceptionGroup> subgroup() const {
    return split<E>().first;
  }

  // To throw it on: an ExceptionGroup where every leaf is a std::exception.
  std::exception_ptr as_exception() const;

 private:
  using Matches = std::function<bool(const std::exception_ptr&)>;
  std::pair<std::optional<BaseExceptionGroup>,
            std::optional<BaseExceptionGroup>>
  split_by(const Matches& matches) const;

  std::string message_;
  std::vector<std::exception_ptr> exceptions_;
  std::string what_;
};

class ExceptionGroup : public std::exception, public BaseExceptionGroup {
 public:
  // TypeError where one of them is not a std::exception.
  ExceptionGroup(std::string message,
                 std::vector<std::exception_ptr> exceptions);

  const char* what() const noexcept override {
    return BaseExceptionGroup::what();
  }
  template <class E>
  std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>>
  split() const {
    auto [yes, no] = BaseExceptionGroup::split<E>();
    return {narrow(yes), narrow(no)};
  }
  template <class E>
  std::optional<ExceptionGroup> subgroup() const {
    return split<E>().first;
  }

 private:
  static std::optional<ExceptionGroup> narrow(
      const std::optional<BaseExceptionGroup>& group) {
    if (!group) return std::nullopt;
    return ExceptionGroup(group->message(), group->exceptions());
  }
};

// An ExceptionGroup where all are std::exceptions, else a BaseExceptionGroup.
std::exception_ptr make_exception_group(
    std::string message, std::vector<std::exception_ptr> exceptions);

}  // namespace asyncio

#endif  // ASYNCIO_BASE_EXCEPTION_GROUP_H_
