// The paths of core_paths that go through streams. The other end of each
// connection is in the same thread, and makes plain calls of the kernel, so that
// an operation's cost is the stream's and those calls'.
#ifndef ASYNCIO_BENCHMARKS_STREAM_PATHS_H_
#define ASYNCIO_BENCHMARKS_STREAM_PATHS_H_

#include "asyncio/benchmarks/measurement.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

// `size` connections, 64 bytes a message; an operation is a message there and
// back: benchmarks/echo_streams.cc without the network.
Coroutine<> echo_path(Measurement& m);

// An operation is a readline() of 64 bytes, of which `size` come at once.
Coroutine<> lines_path(Measurement& m);

// The same of a message behind its length: two readexactly().
Coroutine<> frames_path(Measurement& m);

// An operation is a writelines() of a head and a body, `size` before the peer
// takes them.
Coroutine<> parts_path(Measurement& m);

}  // namespace asyncio

#endif  // ASYNCIO_BENCHMARKS_STREAM_PATHS_H_
