// print: Python's, as far as the conformance programs use it.
//
//   print("done", task.done(), 3);      // "done True 3"
#ifndef ASYNCIO_TESTS_CONFORMANCE_PRINT_H_
#define ASYNCIO_TESTS_CONFORMANCE_PRINT_H_

#include <iostream>
#include <type_traits>

namespace asyncio {

// Joined by blanks, one line; flushed, so that the lines of other processes fall
// between.
template <class... Args>
void print(const Args&... args) {
  const char* blank = "";
  auto put = [&](const auto& arg) {
    std::cout << blank;
    blank = " ";
    if constexpr (std::is_same_v<std::decay_t<decltype(arg)>, bool>) {
      std::cout << (arg ? "True" : "False");
    } else {
      std::cout << arg;
    }
  };
  (put(args), ...);
  std::cout << std::endl;
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_CONFORMANCE_PRINT_H_
