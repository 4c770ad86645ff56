// throw_again: throws what a coroutine, a future or a Result ended with, in the one
// that asks.
#ifndef ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_
#define ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_

#include <exception>

#include "absl/base/attributes.h"
#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

// Throws `exception`, unless it is a cancellation without a text: any of them can
// stand for it, and the caller throws one, in line. Of the functions on the
// unwinder's way std::rethrow_exception() is the dearest.
void throw_unless_plain(std::exception_ptr exception);

// Both. The caller of this one, too, is to be in line, and to hold nothing that is
// destroyed on the way out: so it costs the ways without a throw nothing.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void throw_again(
    const std::exception_ptr& exception) {
  throw_unless_plain(exception);
  throw CancelledError();
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_
