// LoopTimer: a timer of a loop. When it is due, the loop moves it to the ready
// queue; run() then does its work.
#ifndef ASYNCIO_LOOP_INTERNAL_LOOP_TIMER_H_
#define ASYNCIO_LOOP_INTERNAL_LOOP_TIMER_H_

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/timers/timer_wheel.h"

namespace asyncio::internal {

class LoopTimer : public ReadyNode, public TimerNode {};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_LOOP_TIMER_H_
