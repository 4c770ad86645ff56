// fd_line(fd, side): the line of those who wait until a descriptor of their own
// is ready (see TurnLine), in the running loop.
//
//   co_await turn.in(fd_line(fd, FdSide::kRead));
//
// Errors: a hang-up or an error makes it ready. OSError where the kernel cannot
// watch it: a regular file.
// Lifetime: the line is there while somebody is in it, and is to be awaited at
// once. The descriptor stays open, and no transport uses it.
// Cost: two system calls for a wait; while nobody waits the kernel watches
// nothing, so that the number can be closed and used again.
#ifndef ASYNCIO_STREAMS_INTERNAL_FD_LINES_H_
#define ASYNCIO_STREAMS_INTERNAL_FD_LINES_H_

#include <cstdint>

#include "asyncio/streams/internal/turn_line.h"

namespace asyncio::internal {

enum class FdSide : uint8_t { kRead, kWrite };

TurnLine& fd_line(int fd, FdSide side);

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_FD_LINES_H_
