// What a program outside this repository looks like: one header, one target.
#include <chrono>
#include <iostream>
#include <string>

#include "asyncio/asyncio.h"

namespace {

using namespace std::chrono_literals;

asyncio::Coroutine<std::string> greeting() {
  co_return co_await asyncio::sleep(1ms, std::string("hello from a consumer"));
}

asyncio::Coroutine<> print_greeting() {
  const std::string text = co_await greeting();
  std::cout << text << "\n";
}

}  // namespace

int main() { asyncio::run(print_greeting()); }
