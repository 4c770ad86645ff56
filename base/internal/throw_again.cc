#include "asyncio/base/internal/throw_again.h"

#include <exception>
#include <utility>

#include "asyncio/base/exceptions.h"

namespace asyncio::internal {

void throw_unless_plain(std::exception_ptr exception) {
  if (!is_plain_cancellation(exception)) {
    std::rethrow_exception(std::move(exception));
  }
}

}  // namespace asyncio::internal
