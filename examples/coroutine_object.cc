// What calling a coroutine function gives: an object that has not run.
//
//   bazel run //examples:coroutine_object
//
// What is seen: the call prints nothing, the await does; a second await is an
// error; and in debug mode (here by an option, else by the environment variable
// ASYNCIO_DEBUG=1) a coroutine that nobody awaited is reported, with the line
// of its definition.
#include <iostream>
#include <unistd.h>

#include "asyncio/asyncio.h"

using asyncio::Coroutine;

Coroutine<int> answer() {
  std::cout << "answer() runs\n";
  co_return 42;
}

Coroutine<> amain() {
  Coroutine<int> coroutine = answer();
  std::cout << "answer() was called\n";

  const int value = co_await coroutine;
  std::cout << "it gave " << value << "\n";

  try {
    co_await coroutine;
  } catch (const asyncio::RuntimeError& error) {
    std::cout << "awaited again: " << error.what() << "\n";
  }

  std::cout << "another one is made and dropped\n";
  { Coroutine<int> forgotten = answer(); }
  std::cout << "done\n";
}

int main() {
  // The report goes to standard error: one stream shows it in its place.
  dup2(STDOUT_FILENO, STDERR_FILENO);
  std::cout << std::unitbuf;
  asyncio::run(amain(), {.debug = true});
}
