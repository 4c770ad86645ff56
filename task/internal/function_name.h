// Reads the function's name out of what a std::source_location gives.
#ifndef ASYNCIO_TASK_INTERNAL_FUNCTION_NAME_H_
#define ASYNCIO_TASK_INTERNAL_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace asyncio::internal {

// "asyncio::Coroutine<int> app::fetch(int)" -> "app::fetch". Works on the forms
// of g++ and of clang, for plain functions, members and lambdas. A coroutine of the
// library has the name of what it is the body of: "asyncio::internal::run_wait_for"
// -> "wait_for"; one around what is no coroutine, the name of that one's type.
std::string function_name(std::string_view pretty);

// Whether it is a coroutine around what is none: a callable, or another awaitable.
bool is_wrapper(std::string_view pretty);

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_FUNCTION_NAME_H_
