// The event loop without a single coroutine: callbacks, timers, a pipe, a
// signal and another thread.
//
//   bazel run //examples:loop_alone
//
// What is seen: callbacks in the order they were scheduled, what they schedule
// one iteration later; timers by deadline; then what came through the pipe,
// from the thread and by the signal; at the end an exception that the loop's
// handler is told of.

#include <chrono>
#include <cstdio>
#include <memory>
#include <signal.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"

using namespace std::chrono_literals;

int main() {
  std::unique_ptr<asyncio::EventLoop> loop = asyncio::new_event_loop();

  loop->call_soon([&] {
    std::puts("first");
    loop->call_soon([] { std::puts("third: one iteration later"); });
  });
  loop->call_soon([](const std::string& text) { std::puts(text.c_str()); },
                  "second");

  loop->call_later(20ms, [] { std::puts("after 20 ms"); });
  loop->call_later(10ms, [] { std::puts("after 10 ms"); });
  asyncio::TimerHandle never =
      loop->call_later(5ms, [] { std::puts("never"); });
  never.cancel();

  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 1;
  loop->add_reader(pipe_ends[0], [&] {
    char buffer[64];
    const ssize_t n = read(pipe_ends[0], buffer, sizeof buffer);
    std::printf("from the pipe: %.*s\n", static_cast<int>(n), buffer);
    loop->remove_reader(pipe_ends[0]);
    // The next one comes from another thread.
    std::thread([&] {
      loop->call_soon_threadsafe([] {
        std::puts("from a thread");
        raise(SIGUSR1);
      });
    }).join();
  });
  loop->add_signal_handler(SIGUSR1, [&] {
    std::puts("by a signal");
    loop->call_soon([] { throw asyncio::ValueError("nobody catches me"); });
  });
  loop->call_later(30ms, [&] {
    if (write(pipe_ends[1], "hello", 5) != 5) loop->stop();
  });

  loop->set_exception_handler(
      [](asyncio::EventLoop& l, const asyncio::ExceptionContext& report) {
        std::printf("%s: %s\n", report.message.c_str(),
                    asyncio::exception_message(report.exception).c_str());
        l.stop();
      });
  loop->run_forever();

  loop->close();
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}
