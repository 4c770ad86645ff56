// Argv: the arguments of a program, its name first.
//
//   create_subprocess_exec({"sh", "-c", script});   // a list in braces
//   create_subprocess_exec("true");                 // a single name
//   create_subprocess_exec(words);                  // a range of strings
//
// An element is what a std::string can be made of. All are copied.
#ifndef ASYNCIO_SUBPROCESS_ARGV_H_
#define ASYNCIO_SUBPROCESS_ARGV_H_

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

namespace internal {

template <class T>
concept Argument = std::is_convertible_v<const T&, std::string> ||
    std::is_convertible_v<const T&, std::string_view>;

template <class R>
concept ArgumentRange = !Argument<R> && requires(const R& range) {
  requires Argument<std::remove_cvref_t<decltype(*range.begin())>>;
  range.end();
};

template <Argument T>
std::string to_argument(const T& argument) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(argument));
  } else {
    return argument;
  }
}

}  // namespace internal

class Argv {
 public:
  template <internal::Argument... Ts>
  requires(sizeof...(Ts) > 0)
      Argv(const Ts&... arguments) {  // NOLINT: implicit
    words_.reserve(sizeof...(Ts));
    (words_.push_back(internal::to_argument(arguments)), ...);
  }
  template <internal::ArgumentRange R>
  Argv(const R& range) {  // NOLINT: implicit
    for (const auto& argument : range) {
      words_.push_back(internal::to_argument(argument));
    }
  }
  template <std::same_as<std::vector<std::string>> V>
  Argv(V&& words)  // NOLINT: implicit
      : words_(std::move(words)) {}

  const std::vector<std::string>& words() const& { return words_; }
  std::vector<std::string> words() && { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SUBPROCESS_ARGV_H_
