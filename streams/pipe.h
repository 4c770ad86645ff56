// connect_read_pipe, connect_write_pipe: streams on pipes, FIFOs, terminals and
// sockets; standard_input and its like: on this process's own.
//
//   int ends[2];
//   pipe(ends);
//   StreamReader reader = co_await connect_read_pipe(ends[0]);
//   StreamWriter writer = co_await connect_write_pipe(ends[1]);
//
//   StreamReader input = co_await standard_input();
//   while (auto line = co_await input.next()) use(*line);
//
// The descriptor becomes non-blocking, and is taken over: the stream closes it.
// Where one of these throws, it stays the caller's.
//
// The standard streams are opened a second time, so that descriptors 0 to 2
// stay open, and blocking, for whoever shares them: a terminal, other
// processes. (A socket cannot be opened again: there that is shared.)
//
// A writer whose reader is gone is closed: drain() throws BrokenPipeError where
// something was left to be written, else ConnectionResetError.
//
// Errors: ValueError for regular files, which are always ready and so cannot be
// waited for.
// Threads: the loop's.
#ifndef ASYNCIO_STREAMS_PIPE_H_
#define ASYNCIO_STREAMS_PIPE_H_

#include <cstddef>

#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

struct PipeOptions {
  size_t limit = kDefaultLimit;  // see StreamReader
};

Coroutine<StreamReader> connect_read_pipe(int fd, PipeOptions options = {});
Coroutine<StreamWriter> connect_write_pipe(int fd);

Coroutine<StreamReader> standard_input(PipeOptions options = {});
Coroutine<StreamWriter> standard_output();
Coroutine<StreamWriter> standard_error();

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_PIPE_H_
