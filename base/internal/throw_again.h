// throw_again: throws what a coroutine, a future or a Result ended with, in the one
// that asks.
#ifndef ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_
#define ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_

#include <exception>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

// A cancellation without a text, as most are, is thrown anew, and in line: of the
// functions on the unwinder's way std::rethrow_exception() is the dearest.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void throw_again(
    std::exception_ptr exception) {
  if (is_plain_cancellation(exception)) {
    exception = nullptr;
    throw CancelledError();
  }
  std::rethrow_exception(std::move(exception));
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_
