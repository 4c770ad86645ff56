// Looks which ports of a machine somebody listens at.
//
//   bazel run //examples:port_scanner -- 127.0.0.1 1 1024
//
// What is seen: the open ports on standard output, in their order; on standard
// error how far it is. A hundred are tried at a time, for half a second each.
// Scan machines of your own.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <set>
#include <string>

#include "asyncio/asyncio.h"

using namespace std::chrono_literals;
using asyncio::Coroutine;
using asyncio::Semaphore;
using asyncio::TaskGroup;

struct Progress {
  int done = 0;
  const int total;
  explicit Progress(int total) : total(total) {}
};

Coroutine<bool> is_open(std::string host, uint16_t port) {
  try {
    co_await asyncio::wait_for(asyncio::open_connection(host, port), 500ms);
    co_return true;  // and closed again: nobody keeps the connection
  } catch (const asyncio::OSError&) {
    // Refused; or nobody answers, which is a TimeoutError.
  }
  co_return false;
}

// Once a second, until it is cancelled.
Coroutine<> show(const Progress& progress) {
  for (;;) {
    co_await asyncio::sleep(1s);
    std::cerr << progress.done << " of " << progress.total << " ports"
              << std::endl;
  }
}

Coroutine<> amain(std::string host, uint16_t first, uint16_t last) {
  std::set<uint16_t> open;
  Progress progress(last - first + 1);
  Semaphore at_once(100);
  auto try_port = [&](uint16_t port) -> Coroutine<> {
    auto slot = co_await at_once.scoped_acquire();
    const bool answers = co_await is_open(host, port);
    if (answers) open.insert(port);
    ++progress.done;
  };
  auto reporter = asyncio::create_task(show(progress));
  auto scan = [&](TaskGroup& group) {
    for (int port = first; port <= last; ++port) {
      group.create_task(try_port(static_cast<uint16_t>(port)));
    }
  };
  co_await asyncio::with(TaskGroup(), scan);
  reporter.cancel();
  for (const uint16_t port : open) std::cout << port << " open\n";
  std::cerr << progress.done << " of " << progress.total << " ports, "
            << open.size() << " open" << std::endl;
  // It refers to what dies here.
  static_cast<void>(co_await asyncio::as_result(reporter));
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: port_scanner HOST FIRST LAST\n";
    return 2;
  }
  try {
    asyncio::run(amain(argv[1], static_cast<uint16_t>(std::atoi(argv[2])),
                       static_cast<uint16_t>(std::atoi(argv[3]))));
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
