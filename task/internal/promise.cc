#include "asyncio/task/internal/promise.h"

#include "asyncio/base/internal/throw_again.h"

namespace asyncio::internal {

void Outcome::throw_unless_plain() { internal::throw_unless_plain(take()); }

}  // namespace asyncio::internal
