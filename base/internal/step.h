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
//
// The loop knows no more of it than that a turn may leave something in `next`,
// for ReadyNode::go_on(), and that no task runs between turns.
#ifndef ASYNCIO_BASE_INTERNAL_STEP_H_
#define ASYNCIO_BASE_INTERNAL_STEP_H_

namespace asyncio::internal {

class PromiseBase;
class ReadyNode;

struct Step {
  static constexpr int kMaxDepth = 64;

  // Before a frame is resumed on top of another, and after it. False where it is
  // not to be: the stack is deep enough.
  bool descend() {
    if (--room != 0) [[likely]] return true;
    ++room;
    return false;
  }
  void ascend() { ++room; }

  // Null in a callback and outside the loop. It is asked for the running context, so
  // it is there whenever code of the user's runs.
  ReadyNode* task = nullptr;
  PromiseBase* next = nullptr;  // what is resumed next; null between steps
  int room = kMaxDepth + 1;     // how many more frames the stack takes, and one
};

inline constinit thread_local Step step{};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_STEP_H_
