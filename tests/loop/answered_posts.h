// Posts from another thread, each of which waits for the one before to be answered.
#ifndef ASYNCIO_TESTS_LOOP_ANSWERED_POSTS_H_
#define ASYNCIO_TESTS_LOOP_ANSWERED_POSTS_H_

#include <atomic>
#include <thread>

#include "asyncio/loop/event_loop.h"

namespace asyncio {

// Runs `loop` until `rounds` posts were answered; gives how many were. A wake-up
// that is lost makes it wait for ever.
inline int answered_posts(EventLoop& loop, int rounds) {
  std::atomic<int> answered = 0;
  std::thread poster([&] {
    for (int i = 1; i <= rounds; ++i) {
      loop.call_soon_threadsafe([&, i] { answered = i; });
      while (answered < i) std::this_thread::yield();
    }
    loop.call_soon_threadsafe([&] { loop.stop(); });
  });
  loop.run_forever();
  poster.join();
  return answered;
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_LOOP_ANSWERED_POSTS_H_
