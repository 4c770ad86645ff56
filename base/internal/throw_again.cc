#include "asyncio/base/internal/throw_again.h"

#include <exception>

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void throw_unless_plain(const std::exception_ptr& exception) {
  if (!is_plain_cancellation(exception)) std::rethrow_exception(exception);
}

}  // namespace asyncio::internal
