// Clock: where a loop gets its time. The loop asks no other.
//
// The real one is CLOCK_MONOTONIC; `//testing:virtual_clock` has one that jumps.
// A clock of your own is given by `new_event_loop({.clock = &clock})` and must
// outlive the loop.
#ifndef ASYNCIO_LOOP_CLOCK_H_
#define ASYNCIO_LOOP_CLOCK_H_

#include "asyncio/base/time.h"

namespace asyncio {

class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes back.
  virtual TimePoint now() = 0;

  // The loop has nothing to run before `deadline`, no event has come, and no work
  // of another thread is under way. A clock that is not bound to real time moves
  // to `deadline` and returns true; the loop sleeps when it returns false.
  virtual bool jump_to(TimePoint deadline) {
    static_cast<void>(deadline);
    return false;
  }
};

// CLOCK_MONOTONIC.
Clock& system_clock();

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_CLOCK_H_
