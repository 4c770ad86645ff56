// A TCP client: sends lines, prints what comes back.
//
//   bazel run //examples:echo_server -- 8888 &
//   bazel run //examples:echo_client -- 127.0.0.1 8888 hello world
//
// What is seen: each word that is sent, and its echo.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"

using asyncio::Coroutine;

Coroutine<> amain(std::string host, uint16_t port,
                  std::vector<std::string> words) {
  auto [reader, writer] = co_await asyncio::open_connection(host, port);
  for (const std::string& word : words) {
    std::cout << "Send: " << word << std::endl;
    writer.write(word + "\n");
    co_await writer.drain();
    std::cout << "Received: " << co_await reader.readline() << std::flush;
  }
  std::cout << "Close the connection" << std::endl;
  writer.close();
  co_await writer.wait_closed();
}

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: echo_client HOST PORT WORD...\n";
    return 2;
  }
  try {
    asyncio::run(amain(argv[1], static_cast<uint16_t>(std::atoi(argv[2])),
                       std::vector<std::string>(argv + 3, argv + argc)));
  } catch (const asyncio::OSError& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
