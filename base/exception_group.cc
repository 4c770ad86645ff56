#include "asyncio/base/exception_group.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

bool is_exception(const std::exception_ptr& e) {
  return exception_cast<std::exception>(e) != nullptr;
}

}  // namespace

BaseExceptionGroup::BaseExceptionGroup(
    std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::move(message)), exceptions_(std::move(exceptions)) {
  if (exceptions_.empty()) {
    throw ValueError("second argument (exceptions) must be a non-empty sequence");
  }
  for (size_t i = 0; i < exceptions_.size(); ++i) {
    if (!exceptions_[i]) {
      throw ValueError("Item " + std::to_string(i) +
                       " of second argument (exceptions) is not an exception");
    }
  }
  what_ = message_ + " (" + std::to_string(exceptions_.size()) +
          " sub-exception" + (exceptions_.size() == 1 ? "" : "s") + ")";
}

std::pair<std::optional<BaseExceptionGroup>, std::optional<BaseExceptionGroup>>
BaseExceptionGroup::split_by(const Matches& matches) const {
  std::vector<std::exception_ptr> yes;
  std::vector<std::exception_ptr> no;
  for (const std::exception_ptr& e : exceptions_) {
    if (matches(e)) {
      yes.push_back(e);
    } else if (auto* group = exception_cast<BaseExceptionGroup>(e)) {
      auto [inner_yes, inner_no] = group->split_by(matches);
      if (inner_yes) yes.push_back(inner_yes->as_exception());
      if (inner_no) no.push_back(inner_no->as_exception());
    } else {
      no.push_back(e);
    }
  }
  std::pair<std::optional<BaseExceptionGroup>,
            std::optional<BaseExceptionGroup>>
      result;
  if (!yes.empty()) result.first.emplace(message_, std::move(yes));
  if (!no.empty()) result.second.emplace(message_, std::move(no));
  return result;
}

std::exception_ptr BaseExceptionGroup::as_exception() const {
  return make_exception_group(message_, exceptions_);
}

ExceptionGroup::ExceptionGroup(std::string message,
                               std::vector<std::exception_ptr> exceptions)
    : BaseExceptionGroup(std::move(message), std::move(exceptions)) {
  if (!std::all_of(this->exceptions().begin(), this->exceptions().end(),
                   is_exception)) {
    throw TypeError("Cannot nest BaseExceptions in an ExceptionGroup");
  }
}

std::exception_ptr make_exception_group(
    std::string message, std::vector<std::exception_ptr> exceptions) {
  if (std::all_of(exceptions.begin(), exceptions.end(), is_exception)) {
    return std::make_exception_ptr(
        ExceptionGroup(std::move(message), std::move(exceptions)));
  }
  return std::make_exception_ptr(
      BaseExceptionGroup(std::move(message), std::move(exceptions)));
}

}  // namespace asyncio
