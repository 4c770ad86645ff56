#include "asyncio/task/internal/function_name.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace asyncio::internal {
namespace {

// See awaitable.h.
constexpr std::string_view kAroundCallable = "asyncio::internal::await_call";
constexpr std::string_view kAroundObject = "asyncio::internal::await_object";

// How deep in brackets the text behind `c` is.
void count_bracket(char c, size_t& depth) {
  if (c == '(' || c == '<' || c == '[' || c == '{') ++depth;
  if ((c == ')' || c == '>' || c == ']' || c == '}') && depth > 0) --depth;
}

struct Parsed {
  std::string_view name;
  std::string_view rest;  // what follows it
};

// Where a type ends that is an item of a list in brackets.
size_t end_of_item(std::string_view text) {
  size_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (depth == 0 && (c == ';' || c == ',' || c == ']')) return i;
    count_bracket(c, depth);
  }
  return text.size();
}

// "(A) [with A = asyncio::Sleep; B = C]" -> "asyncio::Sleep"
std::string_view first_argument(std::string_view rest) {
  static constexpr std::string_view kIs = " = ";
  const size_t is = rest.find(kIs);
  if (is == std::string_view::npos) return {};
  rest.remove_prefix(is + kIs.size());
  return rest.substr(0, end_of_item(rest));
}

// "asyncio::internal::AcquireRequest<asyncio::Lock, bool>" -> "AcquireRequest"
std::string_view library_type(std::string_view type) {
  static constexpr std::string_view kLibrary = "asyncio::";
  static constexpr std::string_view kInternal = "internal::";
  if (!type.starts_with(kLibrary)) return type;
  type.remove_prefix(kLibrary.size());
  if (type.starts_with(kInternal)) type.remove_prefix(kInternal.size());
  return type.substr(0, type.find('<'));
}

Parsed parse(std::string_view pretty) {
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
    count_bracket(c, depth);
  }
  return {pretty.substr(start, end - start), pretty.substr(end)};
}

}  // namespace

std::string function_name(std::string_view pretty) {
  auto [name, rest] = parse(pretty);
  if (name == kAroundCallable) return std::string(first_argument(rest));
  if (name == kAroundObject) {
    return std::string(library_type(first_argument(rest)));
  }
  static constexpr std::string_view kBody = "asyncio::internal::run_";
  if (name.starts_with(kBody)) name.remove_prefix(kBody.size());
  // Once it runs g++ calls a lambda's coroutine otherwise than before.
  static constexpr std::string_view kCall = "::operator()";
  if (name.ends_with(kCall) &&
      name.substr(0, name.size() - kCall.size()).ends_with(")>")) {
    name.remove_suffix(kCall.size());
  }
  return std::string(name);
}

bool is_wrapper(std::string_view pretty) {
  const std::string_view name = parse(pretty).name;
  return name == kAroundCallable || name == kAroundObject;
}

}  // namespace asyncio::internal
