// OwnedBytes: what a coroutine is given to send. Strings that are not given up
// are copied, at the call.
#ifndef ASYNCIO_STREAMS_INTERNAL_OWNED_BYTES_H_
#define ASYNCIO_STREAMS_INTERNAL_OWNED_BYTES_H_

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::internal {

class OwnedBytes {
 public:
  OwnedBytes(std::string&& text)
      : text_(std::move(text)) {}  // NOLINT: implicit
  template <class T>
  requires(std::convertible_to<const T&, std::string_view>)
      OwnedBytes(const T& text)  // NOLINT: implicit
      : text_(std::string_view(text)) {}
  OwnedBytes(std::span<const std::byte> bytes)  // NOLINT: implicit
      : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_OWNED_BYTES_H_
