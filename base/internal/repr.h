// Python's repr() of a str.
#ifndef ASYNCIO_BASE_INTERNAL_REPR_H_
#define ASYNCIO_BASE_INTERNAL_REPR_H_

#include <string>
#include <string_view>

namespace asyncio::internal {

// In quotes, with escapes for what is no text: "it's\n" -> "\"it's\\n\"". What is
// not ASCII stays as it is.
std::string repr(std::string_view text);

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_REPR_H_
