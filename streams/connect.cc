#include "asyncio/streams/connect.h"

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/connection.h"
#include "asyncio/streams/internal/open_stream.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

Coroutine<Connection> open_connection(ConnectionOptions options) {
  internal::Ref<internal::Stream> stream = internal::open_socket_stream(
      get_running_loop(), options.sock, options.limit);
  co_return Connection(StreamReader(stream), StreamWriter(stream));
}

}  // namespace asyncio
