// Result<T>: how an awaitable ended, as a value: what it gave or what it threw.
//
//   Result<int> r = co_await as_result(fetch());
//   if (r) use(*r);
//   else if (r.cancelled()) co_await cleanup();
//   r.rethrow();                       // nothing where it ended well
//
// Cost: T and an exception_ptr side by side; looking throws nothing.
#ifndef ASYNCIO_BASE_RESULT_H_
#define ASYNCIO_BASE_RESULT_H_

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/base/macros.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/throw_again.h"

namespace asyncio {

namespace internal {

// What every Result<T> can say without knowing T.
class ResultBase {
 public:
  bool has_value() const noexcept { return !exception_; }
  explicit operator bool() const noexcept { return has_value(); }

  // Null where it ended well.
  const std::exception_ptr& exception() const noexcept { return exception_; }
  // Whether it ended with a CancelledError.
  bool cancelled() const noexcept {
    return !has_value() && (exception_ == plain_cancelled_error() ||
                            get_if<CancelledError>() != nullptr);
  }
  // Throws the exception; does nothing where there is none.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void rethrow() const {
    if (exception_) throw_again(exception_);
  }
  // The exception as an `E`, else null. It lives as long as this Result.
  template <class E>
  const E* get_if() const noexcept {
    return exception_cast<E>(exception_);
  }

 protected:
  ResultBase() = default;
  explicit ResultBase(std::exception_ptr exception)
      : exception_(std::move(exception)) {
    ABSL_ASSERT(exception_ != nullptr);
  }

 private:
  std::exception_ptr exception_;
};

}  // namespace internal

template <class T = void>
class [[nodiscard]] Result : public internal::ResultBase {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit
  Result(std::exception_ptr exception)           // NOLINT: implicit
      : ResultBase(std::move(exception)) {}

  // The value, or throws the stored exception.
  const T& value() const& { return rethrow(), *value_; }
  T& value() & { return rethrow(), *value_; }
  T&& value() && { return rethrow(), *std::move(value_); }

  // Requires has_value().
  const T& operator*() const& { return *value_; }
  T& operator*() & { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  const T* operator->() const { return std::addressof(*value_); }
  T* operator->() { return std::addressof(*value_); }

 private:
  std::optional<T> value_;
};

template <class T>
class [[nodiscard]] Result<T&> : public internal::ResultBase {
 public:
  Result(T& value) : value_(std::addressof(value)) {}  // NOLINT: implicit
  Result(std::exception_ptr exception)                 // NOLINT: implicit
      : ResultBase(std::move(exception)) {}

  T& value() const { return rethrow(), *value_; }
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  T* value_ = nullptr;
};

template <>
class [[nodiscard]] Result<void> : public internal::ResultBase {
 public:
  Result() = default;
  Result(std::exception_ptr exception)  // NOLINT: implicit
      : ResultBase(std::move(exception)) {}

  void value() const { rethrow(); }
  void operator*() const {}
};

}  // namespace asyncio

#endif  // ASYNCIO_BASE_RESULT_H_
