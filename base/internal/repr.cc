#include "asyncio/base/internal/repr.h"

#include <string>
#include <string_view>

namespace asyncio::internal {

std::string repr(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const bool double_quotes = text.find('\'') != std::string_view::npos &&
                             text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\t') {
      result += "\\t";
    } else if (const auto byte = static_cast<unsigned char>(c);
               byte < 0x20 || byte == 0x7f) {
      result += "\\x";
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    } else {
      result += c;
    }
  }
  return result += quote;
}

}  // namespace asyncio::internal
