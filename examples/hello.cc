// The first program: a coroutine that sleeps.
//
//   bazel run //examples:hello
//
// What is seen: "hello", and one second later "world".
#include <iostream>

#include "asyncio/asyncio.h"
#include "asyncio/examples/time_flags.h"

asyncio::Coroutine<> hello(asyncio::Duration second) {
  std::cout << "hello" << std::endl;
  co_await asyncio::sleep(1 * second);
  std::cout << "world" << std::endl;
}

int main(int argc, char** argv) {
  const examples::TimeFlags time(argc, argv);
  asyncio::run(hello(time.second), {.loop_factory = time.loop_factory});
}
