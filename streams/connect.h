// open_connection: a stream connection, as a reader and a writer.
//
//   auto [reader, writer] = co_await open_connection({.sock = fd});
//
// Threads: the loop's.
#ifndef ASYNCIO_STREAMS_CONNECT_H_
#define ASYNCIO_STREAMS_CONNECT_H_

#include <cstddef>

#include "asyncio/streams/connection.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

struct ConnectionOptions {
  size_t limit = kDefaultLimit;  // see StreamReader; ValueError for zero
  int sock = -1;                 // a connected stream socket, taken over
};

// The connection of `options.sock`. Where it throws, that stays the caller's.
Coroutine<Connection> open_connection(ConnectionOptions options);

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_CONNECT_H_
