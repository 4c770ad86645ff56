// Step: what a thread is doing in its task right now.
//
// A step of a task resumes the innermost suspended frame and runs until the task
// waits or ends. Inside a step control passes from frame to frame in two ways,
// neither of which lets the stack grow (no symmetric transfer: some compilers
// turn it into a plain call):
//  - an awaited coroutine is resumed by its caller's await_suspend(), down to
//    kMaxDepth; below that it is left in `next`, everything returns, and the
//    step's driver resumes it from a fresh stack;
//  - a coroutine that ends leaves its caller in `next`; it has none while the
//    caller is still on the stack below it, which goes on by returning.
#ifndef ASYNCIO_TASK_INTERNAL_STEP_H_
#define ASYNCIO_TASK_INTERNAL_STEP_H_

namespace asyncio::internal {

class PromiseBase;
class TaskCore;

struct Step {
  static constexpr int kMaxDepth = 64;

  TaskCore* task;      // null in a callback and outside the loop
  PromiseBase* next;   // what the driver resumes next; null between steps
  int depth;           // how many frames are resumed on top of each other
};

inline constinit thread_local Step step{};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_STEP_H_
