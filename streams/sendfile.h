// sendfile: sends a file over a stream, by the kernel alone where it can.
//
//   writer.write("HTTP/1.0 200 OK\r\n\r\n");
//   int64_t sent = co_await sendfile(writer, file, {.offset = 0});
//
// The file is a descriptor, open for reading, which stays the caller's.
//
// Order: behind what was written before; what is written meanwhile, by whatever
// task, comes behind the file. close() and write_eof() wait for its end as
// well. When it returns, a socket has the last byte; of a pipe it may be
// buffered.
// Errors: those of sock_sendfile(); RuntimeError("Transport is closing"), and
// after write_eof(); the loss of the connection. On a pipe, where the kernel is
// not asked, RuntimeError without a fallback.
// Cancellation: at once. The file's position is behind the last byte that was
// sent, as it is after an error; a pipe has lost no other byte.
// Threads: the loop's.
#ifndef ASYNCIO_STREAMS_SENDFILE_H_
#define ASYNCIO_STREAMS_SENDFILE_H_

#include <cstdint>

#include "asyncio/streams/sockets.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

// -> how many bytes were sent.
Coroutine<int64_t> sendfile(const StreamWriter& writer, int file,
                            SendfileOptions options = {});

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SENDFILE_H_
