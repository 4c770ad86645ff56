// Separators: what StreamReader::readuntil() reads up to: one or several strings.
//
//   co_await reader.readuntil("\r\n");
//   co_await reader.readuntil({"\r\n", "\n", std::string(1, '\0')});
//   co_await reader.readuntil(separators);  // a range of them
//
// Lifetime: it holds copies.
#ifndef ASYNCIO_STREAMS_SEPARATORS_H_
#define ASYNCIO_STREAMS_SEPARATORS_H_

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

class Separators {
 public:
  template <class... S>
    requires(std::convertible_to<const S&, std::string_view> && ...)
  Separators(const S&... separators) {  // NOLINT: implicit
    (add(std::string_view(separators)), ...);
  }
  template <class Range>
    requires(!std::convertible_to<const Range&, std::string_view> &&
             !std::same_as<Range, Separators> &&
             requires(const Range& range) { std::string_view(*range.begin()); })
  Separators(const Range& range) {  // NOLINT: implicit
    for (const auto& separator : range) add(std::string_view(separator));
  }

  // From the shortest to the longest, equal ones in the order given.
  size_t size() const { return count_; }
  std::string_view operator[](size_t i) const {
    return i == 0 ? first_ : more_[i - 1];
  }

 private:
  void add(std::string_view separator);

  // Most have one, which is short.
  std::string first_;
  std::vector<std::string> more_;
  size_t count_ = 0;
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SEPARATORS_H_
