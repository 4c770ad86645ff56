// A baseline for tasks: coroutines and a ready queue written by hand, with what
// every such library needs and nothing else. No cancellation, no exceptions, no
// context, no handles that outlive their task, one thread, one queue.
#ifndef ASYNCIO_BENCHMARKS_TASK_BARE_TASKS_H_
#define ASYNCIO_BENCHMARKS_TASK_BARE_TASKS_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>

namespace asyncio::benchmarks::bare {

struct Promise;
using Frame = std::coroutine_handle<Promise>;

// Frames, all of one program's few sizes, reused last in, first out.
class Pool {
 public:
  static void* allocate(size_t size) {
    Block*& head = free_[size / kGrain];
    if (head == nullptr) return ::operator new(size);
    Block* block = head;
    head = block->next;
    return block;
  }
  static void deallocate(void* p, size_t size) {
    Block* block = static_cast<Block*>(p);
    block->next = free_[size / kGrain];
    free_[size / kGrain] = block;
  }

 private:
  struct Block {
    Block* next;
  };
  static constexpr size_t kGrain = 8;
  static inline Block* free_[4096 / kGrain];
};

struct Coroutine {
  using promise_type = Promise;
  Frame frame;

  bool await_ready() const { return false; }
  bool await_suspend(Frame caller);
  int64_t await_resume();
};

struct Promise {
  Frame caller;   // who goes on when it ends; null while that is on the stack
  Promise* next;  // in the ready queue
  int64_t value = 0;

  static void* operator new(size_t size) { return Pool::allocate(size); }
  static void operator delete(void* p, size_t size) {
    Pool::deallocate(p, size);
  }

  Coroutine get_return_object() { return {Frame::from_promise(*this)}; }
  std::suspend_always initial_suspend() noexcept { return {}; }
  std::suspend_always final_suspend() noexcept;
  void return_value(int64_t v) { value = v; }
  void unhandled_exception() { std::terminate(); }
};

class ReadyQueue {
 public:
  void push(Frame frame) {
    Promise& promise = frame.promise();
    promise.next = nullptr;
    *tail_ = &promise;
    tail_ = &promise.next;
  }
  void run() {
    while (Promise* promise = head_) {
      head_ = promise->next;
      if (head_ == nullptr) tail_ = &head_;
      Frame::from_promise(*promise).resume();
    }
  }

 private:
  Promise* head_ = nullptr;
  Promise** tail_ = &head_;
};

inline ReadyQueue queue;

inline std::suspend_always Promise::final_suspend() noexcept {
  if (caller) queue.push(caller);
  return {};
}

// Resumes the awaited one in place; where it suspends, its end makes the caller
// ready.
inline bool Coroutine::await_suspend(Frame caller) {
  frame.resume();
  if (frame.done()) return false;
  frame.promise().caller = caller;
  return true;
}
inline int64_t Coroutine::await_resume() {
  const int64_t value = frame.promise().value;
  frame.destroy();
  return value;
}

// A task: made ready at once; awaited or destroyed by who made it.
class Task {
 public:
  explicit Task(Coroutine coroutine) : frame_(coroutine.frame) {
    queue.push(frame_);
  }
  bool await_ready() const { return frame_.done(); }
  void await_suspend(Frame caller) { frame_.promise().caller = caller; }
  int64_t await_resume() {
    const int64_t value = frame_.promise().value;
    frame_.destroy();
    return value;
  }

 private:
  Frame frame_;
};

struct Yield {
  bool await_ready() const { return false; }
  void await_suspend(Frame frame) const { queue.push(frame); }
  void await_resume() const {}
};

// Suspends until somebody makes `frame` ready.
struct Park {
  Frame& frame;
  bool await_ready() const { return false; }
  void await_suspend(Frame caller) const { frame = caller; }
  void await_resume() const {}
};

inline int64_t run(Coroutine main) {
  queue.push(main.frame);
  queue.run();
  return main.await_resume();
}

}  // namespace asyncio::benchmarks::bare

#endif  // ASYNCIO_BENCHMARKS_TASK_BARE_TASKS_H_
