// Protocol: what sits on a transport and is told what comes of it: a Stream, or
// a layer between, which is a transport itself.
#ifndef ASYNCIO_STREAMS_INTERNAL_PROTOCOL_H_
#define ASYNCIO_STREAMS_INTERNAL_PROTOCOL_H_

#include <exception>
#include <string_view>

namespace asyncio::internal {

// It stays until connection_lost() or loop_closed(), its last call, in which it
// may end its own life. None of the others ends a transport.
class Protocol {
 public:
  // The bytes are the transport's, and gone when it returns.
  virtual void data_received(std::string_view data) = 0;
  // Nothing more will come. Whether the transport is to stay open for writing.
  virtual bool eof_received() = 0;
  // Null where it was closed in order.
  virtual void connection_lost(std::exception_ptr error) noexcept = 0;
  // The buffer is above the high water mark; is down to the low one.
  virtual void pause_writing() = 0;
  virtual void resume_writing() = 0;
  // In place of connection_lost(): nothing can be run any more.
  virtual void loop_closed() noexcept = 0;

 protected:
  ~Protocol() = default;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_PROTOCOL_H_
