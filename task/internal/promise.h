// PromiseBase: the part of a coroutine's promise that does not depend on its
// type: who awaits it, where it is, how it ended.
#ifndef ASYNCIO_TASK_INTERNAL_PROMISE_H_
#define ASYNCIO_TASK_INTERNAL_PROMISE_H_

#include <bit>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/task/internal/awaiter_of.h"

namespace asyncio::internal {

class PromiseBase;

// Where a coroutine stands. g++ keeps an argument of class type in the frame, once
// for each await: there it is the pointer that a std::source_location is made of.
#if defined(__clang__)
using SourceLocation = std::source_location;
#define ASYNCIO_INTERNAL_HERE std::source_location::current()
#else
using SourceLocation = decltype(__builtin_source_location());
#define ASYNCIO_INTERNAL_HERE __builtin_source_location()
#endif

// Whoever destroys a frame: the awaiter in the caller's frame, while the frame
// runs. Destroying a suspended chain goes from the innermost frame outwards and
// tells each owner, so that locals die in the order in which a throw would end
// them and the stack does not grow.
class FrameOwner {
 public:
  std::coroutine_handle<> frame;
};

// Owner of the frame while it runs, then the exception that it ended with: both
// are pointers, told apart by the lowest bit. A cancellation without a text is not
// kept: any can stand for it. Whoever the frame ended for takes the exception: it is
// never destroyed with one.
class Outcome {
 public:
  Outcome() = default;
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;

  void set_owner(FrameOwner* owner) {
    bits_ = reinterpret_cast<uintptr_t>(owner);
  }
  // Requires !failed().
  FrameOwner* owner() const { return reinterpret_cast<FrameOwner*>(bits_); }

  bool failed() const { return (bits_ & kFailed) != 0; }
  // Keeps the one that is being handled.
  void catch_exception() noexcept;
  // Whether it ended with a cancellation without a text.
  bool plainly_cancelled() const { return bits_ == kPlainCancellation; }
  // Requires failed().
  std::exception_ptr take();
  // The same, and throws it: see base/internal/throw_again.h.
  [[noreturn]] ABSL_ATTRIBUTE_ALWAYS_INLINE void throw_taken() {
    throw_unless_plain();
    throw CancelledError();
  }

 private:
  // Takes it, and throws it unless it is a cancellation that throw_taken() throws.
  void throw_unless_plain();

  static constexpr uintptr_t kFailed = 1;
  static constexpr uintptr_t kPlainCancellation = kFailed;

  uintptr_t bits_ = 0;
};

// Ends a frame: its caller goes on, or, where it has none, the step ends.
class FinalAwaiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> frame) const noexcept {
    step.next = frame.promise().caller();
  }
  void await_resume() const noexcept {}
};

class PromiseBase {
 public:
  // Of the whole frame.
  static void* operator new(size_t size) {
    return FramePool::allocate(room_for(size));
  }
  static void operator delete(void* frame, size_t size) noexcept {
    FramePool::deallocate(frame, room_for(size));
  }

  explicit constexpr PromiseBase(SourceLocation where) : where_(where) {}
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { outcome_.catch_exception(); }

  // Notes where the coroutine awaits. What is no awaiter of this library is
  // adapted, so that whoever resumes it wakes the task through its loop.
  template <class A>
  decltype(auto) await_transform(
      A&& awaitable, SourceLocation where = ASYNCIO_INTERNAL_HERE) {
    where_ = where;
    if constexpr (HasAwaiter<A>) {
      return library_awaiter(std::forward<A>(awaitable));
    } else {
      static_assert(HasAwaiter<A>,
                    "co_await needs an awaitable: a Coroutine, a Future, a Task, "
                    "what sleep() and the like give. A callable is called first: "
                    "co_await f()");
      return std::suspend_never();
    }
  }

  std::coroutine_handle<> frame() {
    // The promise is the frame's third word, whatever its own type.
    return std::coroutine_handle<PromiseBase>::from_promise(*this);
  }

  // Who awaits it. Null before it is awaited, and while the caller is below it on
  // the stack; TaskCore's mark of the end for the outermost frame of a task.
  PromiseBase* caller() const { return caller_; }
  void set_caller(PromiseBase* caller) { caller_ = caller; }

  // Where it awaits; before its first await, where it was called.
  std::source_location where() const {
    return std::bit_cast<std::source_location>(where_);
  }

  Outcome& outcome() { return outcome_; }

 protected:
  ~PromiseBase() = default;

 private:
  // Of a frame that holds something aligned to 16 bytes Clang does not say a
  // multiple of 16, as the pool expects it.
  static constexpr size_t room_for(size_t size) {
#if defined(__clang__)
    return (size + 15) / 16 * 16;
#else
    return size;
#endif
  }

  PromiseBase* caller_ = nullptr;
  SourceLocation where_;
  Outcome outcome_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_PROMISE_H_
