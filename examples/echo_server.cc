// A TCP server that sends each line back, and the way to end it in order.
//
//   bazel run //examples:echo_server -- 8888        // 0: a port that is free
//   nc 127.0.0.1 8888
//
// What is seen: where it listens, who comes, what they say, who goes. Ctrl-C,
// or SIGTERM, closes the server; who is connected has two seconds to finish.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <signal.h>
#include <string>

#include "asyncio/asyncio.h"

using namespace std::chrono_literals;
using asyncio::Coroutine;
using asyncio::Server;
using asyncio::SignalStream;
using asyncio::StreamReader;
using asyncio::StreamWriter;

Coroutine<> echo(StreamReader reader, StreamWriter writer) {
  const std::string peer = writer.peername().to_string();
  std::cout << peer << " connected" << std::endl;
  while (auto line = co_await reader.next()) {
    std::cout << peer << ": " << *line << std::flush;
    writer.write(*line);
    co_await writer.drain();  // a client that does not read has to wait
  }
  std::cout << peer << " gone" << std::endl;
}

Coroutine<> amain(uint16_t port) {
  SignalStream signals({SIGINT, SIGTERM});
  Server server = co_await asyncio::start_server(echo, "127.0.0.1", port);
  std::cout << "Serving on port " << server.port() << std::endl;
  co_await signals.next();
  std::cout << "Shutting down" << std::endl;
  co_await server.shutdown(2s);
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8888;
  asyncio::run(amain(static_cast<uint16_t>(port)));
}
