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
void throw_unless_plain(const std::exception_ptr& exception);

// Throws it in any case. To be called by what is itself in line and has nothing to
// destroy: then the ways without a throw pay nothing.
[[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE inline void throw_again(
    const std::exception_ptr& exception) {
  throw_unless_plain(exception);
  throw CancelledError();
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_THROW_AGAIN_H_
