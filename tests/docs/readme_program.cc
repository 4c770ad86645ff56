// The program that README.md shows: compiled, and run by examples/ in its
// longer form.
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>

#include "asyncio/asyncio.h"

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  char text[sizeof "HH:MM:SS"];
  std::strftime(text, sizeof text, "%H:%M:%S", std::localtime(&now));
  return text;
}

using namespace std::chrono_literals;
using asyncio::Coroutine, asyncio::Duration, asyncio::Task;

Coroutine<> say_after(Duration delay, std::string what) {
  co_await asyncio::sleep(delay);
  std::cout << what << std::endl;
}

Coroutine<> amain() {
  Task<> hello = asyncio::create_task(say_after(10s, "hello"));
  Task<> world = asyncio::create_task(say_after(20s, "world"));

  std::cout << "started at " << time_of_day() << std::endl;
  co_await hello;
  co_await world;
  std::cout << "finished at " << time_of_day() << std::endl;
}

int main() { asyncio::run(amain()); }
