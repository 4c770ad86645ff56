#include "asyncio/task/internal/function_name.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace asyncio::internal {

std::string function_name(std::string_view pretty) {
  // "T f(U) [with ...]", "main()::<lambda(int)>", "auto main()::(anonymous
  // class)::operator()(int) const": the name ends where the last top-level
  // parameter list starts, and starts behind the last blank before it.
  size_t depth = 0;
  size_t start = 0;
  size_t end = pretty.size();
  for (size_t i = 0; i < pretty.size(); ++i) {
    const char c = pretty[i];
    if (depth == 0 && c == ' ') {
      if (end != pretty.size()) break;  // behind the parameters
      start = i + 1;
    }
    if (depth == 0 && c == '(') {
      // "operator()" and "(anonymous namespace)" are parts of the name.
      const bool part = pretty.substr(i).starts_with("()(") ||
                        pretty.substr(i).starts_with("(anonymous");
      if (!part) end = i;
    }
    if (depth == 0 && end != pretty.size() && c == ':') {
      end = pretty.size();  // "main()::<lambda()>": it was not the last
    }
    if (c == '(' || c == '<' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == '>' || c == ']' || c == '}') && depth > 0) --depth;
  }
  std::string_view name = pretty.substr(start, end - start);
  static constexpr std::string_view kBody = "asyncio::internal::run_";
  if (name.starts_with(kBody)) name.remove_prefix(kBody.size());
  return std::string(name);
}

}  // namespace asyncio::internal
