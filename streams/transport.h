// Transport: the connection below a StreamWriter: its buffer, its two water
// marks, its end.
//
//   Transport& transport = writer.transport();
//   transport.set_write_buffer_limits({.high = 1 << 20});
//   transport.abort();                  // drops what is buffered, resets
//
// Most programs need none of it: the writer has write(), drain(), close().
//
// What write() cannot hand to the kernel at once is buffered. Above the high water
// mark (64 KiB unless set) drain() waits, until the buffer is down to the low one
// (a quarter of it).
//
// Order: close() sends what is buffered first; abort() drops it. Either way the
// end is told in a later turn of the loop: then reads give what is left, and
// wait_closed() returns.
// Lifetime: as long as the reader, the writer or a wait of theirs.
// Threads: the loop's.
#ifndef ASYNCIO_STREAMS_TRANSPORT_H_
#define ASYNCIO_STREAMS_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "asyncio/streams/socket_address.h"

namespace asyncio {

struct WriteBufferLimits {
  size_t low = 0;
  size_t high = 0;
};

struct WriteBufferOptions {
  std::optional<size_t> high = {};  // empty: 4 * low, or 64 KiB
  std::optional<size_t> low = {};   // empty: high / 4
};

class Transport {
 public:
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Whether it is closed, or is about to be.
  bool is_closing() const { return closing_; }
  // Receives no more; sends what is buffered, then closes.
  virtual void close() = 0;
  // Closes at once. Buffered data is lost.
  virtual void abort() = 0;

  // While it is paused nothing is received, so that the peer has to wait in the
  // end. A StreamReader does this by itself where its buffer is full.
  virtual bool is_reading() const = 0;
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // Neither waits. RuntimeError after write_eof().
  virtual void write(std::string_view data) = 0;
  virtual void writelines(std::span<const iovec> parts) = 0;
  // The peer sees the end of the stream after what is buffered; it can still
  // send.
  virtual void write_eof() = 0;
  virtual bool can_write_eof() const = 0;

  virtual size_t get_write_buffer_size() const = 0;
  virtual WriteBufferLimits get_write_buffer_limits() const = 0;
  // ValueError unless high >= low. High of zero: every buffered byte is waited
  // for.
  virtual void set_write_buffer_limits(WriteBufferOptions options = {}) = 0;

  // No address for what is no socket; sockname() neither where it is first asked
  // for after the end.
  virtual SocketAddress peername() const = 0;
  virtual SocketAddress sockname() const = 0;
  // -1 after the end.
  virtual int fd() const = 0;

  // For the library: close() by a destructor, which cannot refuse a wrong thread.
  virtual void close_unchecked() = 0;
  // Counts of handles.
  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 protected:
  Transport() = default;
  virtual ~Transport() = default;

  bool closing_ = false;

 private:
  uint32_t references_ = 0;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_TRANSPORT_H_
