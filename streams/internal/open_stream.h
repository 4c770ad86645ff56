// Streams on descriptors that are there already.
#ifndef ASYNCIO_STREAMS_INTERNAL_OPEN_STREAM_H_
#define ASYNCIO_STREAMS_INTERNAL_OPEN_STREAM_H_

#include <cstddef>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/fd_transport.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/socket_address.h"

namespace asyncio::internal {

// A stream on `fd` of any kind, which is made non-blocking and taken over: where
// it throws, that stays the caller's.
Ref<Stream> open_stream(EventLoop& loop, int fd, FdTransport::Kind kind,
                        size_t limit, const SocketAddress& peer = {});

// ValueError where it is no stream socket, or is to be one of Unix and is not.
void check_stream_socket(int fd, bool unix_socket);

// A stream on what check_stream_socket() accepts. Without Nagle's delay, as in
// Python.
Ref<Stream> open_socket_stream(EventLoop& loop, int fd, size_t limit,
                               bool unix_socket);

void set_nonblocking(int fd);
void set_nodelay(int fd, const SocketAddress& peer);

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_OPEN_STREAM_H_
