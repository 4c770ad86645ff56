// Two coroutines, awaited one after the other.
//
//   bazel run //examples:say_after_sequential
//   bazel run //examples:say_after_sequential -- --scale=0.1
//
// What is seen: "hello" after 10 seconds and "world" after 20 more. The two
// coroutine objects are made before the first await, but a coroutine runs only
// while it is awaited: from start to finish it takes 30 seconds.
#include <iostream>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/examples/time_flags.h"

using asyncio::Coroutine;
using asyncio::Duration;
using examples::TimeFlags;

Coroutine<> say_after(Duration delay, std::string what) {
  co_await asyncio::sleep(delay);
  std::cout << what << std::endl;
}

Coroutine<> amain(const TimeFlags& time) {
  Coroutine<> hello = say_after(10 * time.second, "hello");
  Coroutine<> world = say_after(20 * time.second, "world");

  std::cout << "started at " << time.time_of_day() << std::endl;
  co_await hello;
  co_await world;
  std::cout << "finished at " << time.time_of_day() << std::endl;
}

int main(int argc, char** argv) {
  const TimeFlags time(argc, argv);
  asyncio::run(amain(time), {.loop_factory = time.loop_factory});
}
