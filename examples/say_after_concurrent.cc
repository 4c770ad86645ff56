// Two tasks, which run at the same time.
//
//   bazel run //examples:say_after_concurrent
//   bazel run //examples:say_after_concurrent -- --scale=0.1
//
// What is seen: "hello" after 10 seconds and "world" after 10 more. Both tasks
// sleep at the same time: from start to finish it takes 20 seconds, where
// say_after_sequential takes 30.
#include <iostream>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/examples/time_flags.h"

using asyncio::Coroutine;
using asyncio::Duration;
using asyncio::Task;
using examples::TimeFlags;

Coroutine<> say_after(Duration delay, std::string what) {
  co_await asyncio::sleep(delay);
  std::cout << what << std::endl;
}

Coroutine<> amain(const TimeFlags& time) {
  Task<> hello = asyncio::create_task(say_after(10 * time.second, "hello"));
  Task<> world = asyncio::create_task(say_after(20 * time.second, "world"));

  std::cout << "started at " << time.time_of_day() << std::endl;
  co_await hello;
  co_await world;
  std::cout << "finished at " << time.time_of_day() << std::endl;
}

int main(int argc, char** argv) {
  const TimeFlags time(argc, argv);
  asyncio::run(amain(time), {.loop_factory = time.loop_factory});
}
