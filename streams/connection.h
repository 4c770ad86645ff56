// Connection: the two ends of a stream, as open_connection() gives them.
//
//   auto [reader, writer] = co_await open_connection("example.org", 80);
#ifndef ASYNCIO_STREAMS_CONNECTION_H_
#define ASYNCIO_STREAMS_CONNECTION_H_

#include <utility>

#include "asyncio/streams/stream_reader.h"
#include "asyncio/streams/stream_writer.h"

namespace asyncio {

class Connection {
 public:
  Connection() = default;
  Connection(StreamReader reader, StreamWriter writer)
      : reader(std::move(reader)), writer(std::move(writer)) {}

  StreamReader reader;
  StreamWriter writer;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_CONNECTION_H_
