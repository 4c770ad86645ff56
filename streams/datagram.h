// Datagram: a message, and whom it is from or for.
#ifndef ASYNCIO_STREAMS_DATAGRAM_H_
#define ASYNCIO_STREAMS_DATAGRAM_H_

#include <string>
#include <utility>

#include "asyncio/streams/socket_address.h"

namespace asyncio {

class Datagram {
 public:
  Datagram(std::string data, SocketAddress address)
      : data(std::move(data)), address(address) {}

  std::string data;
  SocketAddress address;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_DATAGRAM_H_
