#include "asyncio/task/internal/promise.h"

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void Outcome::catch_exception() noexcept {
  std::exception_ptr exception = std::current_exception();
  if (is_plain_cancellation(exception)) {
    bits_ = kPlainCancellation;
    return;
  }
  static_assert(sizeof exception == sizeof bits_);
  std::memcpy(&bits_, &exception, sizeof bits_);
  bits_ |= kFailed;
  ::new (&exception) std::exception_ptr();  // its share is in bits_ now
}

std::exception_ptr Outcome::take() {
  const uintptr_t object = std::exchange(bits_, 0) & ~kFailed;
  if (object == 0) return plain_cancelled_error();
  std::exception_ptr exception;
  std::memcpy(static_cast<void*>(&exception), &object, sizeof object);
  return exception;
}

void Outcome::throw_unless_plain() {
  if (plainly_cancelled()) {
    bits_ = 0;
  } else {
    std::rethrow_exception(take());
  }
}

}  // namespace asyncio::internal
