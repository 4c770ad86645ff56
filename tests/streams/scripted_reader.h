// ScriptedReader: a StreamReader that is fed by hand, without a descriptor.
#ifndef ASYNCIO_TESTS_STREAMS_SCRIPTED_READER_H_
#define ASYNCIO_TESTS_STREAMS_SCRIPTED_READER_H_

#include <cstddef>
#include <exception>
#include <string_view>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/streams/internal/stream.h"
#include "asyncio/streams/stream_reader.h"

namespace asyncio {

class ScriptedReader {
 public:
  explicit ScriptedReader(size_t limit = kDefaultLimit)
      : stream_(new internal::Stream(get_running_loop(), limit)),
        reader(stream_) {}

  void feed(std::string_view data) { stream_->buffer().feed_data(data); }
  void feed_eof() { stream_->buffer().feed_eof(); }
  void fail(std::exception_ptr exception) {
    stream_->buffer().set_exception(exception);
  }
  size_t buffered() const { return stream_->buffer().size(); }

 private:
  internal::Ref<internal::Stream> stream_;

 public:
  StreamReader reader;
};

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_STREAMS_SCRIPTED_READER_H_
