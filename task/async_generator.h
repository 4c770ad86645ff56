// AsyncGenerator<T>: a coroutine that gives many values, one at a time, and may
// await between them. Python's `async def` with `yield`.
//
//   AsyncGenerator<std::string> lines(Reader& reader) {
//     while (!reader.at_end()) co_yield co_await reader.line();
//   }
//   for (auto it = lines(reader); auto line = co_await it.next();) use(*line);
//
// The body runs in whichever task asks for the next value, in that task's
// context.
//
// Closing: aclose() throws GeneratorExit (not a std::exception) at the co_yield
// where it waits, so that its cleanup, awaits included, runs. `with(generator,
// body)` does that on every way out of the body. run() closes the generators
// that are left and still have an owner. One that is destroyed while it is
// suspended ends without its cleanup's awaits: its frame is destroyed, which
// debug mode reports. A task that waits for its next value then waits on, until
// it is cancelled; one that is on its way out of the wait already destroys the
// frame in its next step, and gets RuntimeError.
// Errors: next() throws what the body throws; the generator is at its end then.
// A second task that asks while one waits gets RuntimeError.
// Cost: one frame; a value that is there is given without a trip through the
// loop.
#ifndef ASYNCIO_TASK_ASYNC_GENERATOR_H_
#define ASYNCIO_TASK_ASYNC_GENERATOR_H_

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

template <class T>
class AsyncGenerator;

namespace internal {

class GeneratorAwaiter;
class GeneratorDomain;
class TaskCore;

// A place in a loop's list of generators to be closed at its end.
struct GeneratorListNode {
  GeneratorListNode* prev = nullptr;
  GeneratorListNode* next = nullptr;
};

// The promise of a generator, without its type.
class GeneratorPromiseBase : public PromiseBase, public GeneratorListNode {
 public:
  enum State : unsigned char { kCreated, kRunning, kYielded, kFinished };

  using PromiseBase::PromiseBase;
  ~GeneratorPromiseBase() { unregister(); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> frame) const noexcept {
      frame.promise().stop(kFinished);
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
  void return_void() noexcept {}

  // Hands control to whoever asked.
  void stop(State state) noexcept {
    state_ = state;
    step.next = caller();
    set_caller(nullptr);
  }
  State state() const { return state_; }
  bool closing() const { return closing_; }

  // Before a resumption: RuntimeError where another task is in it. False where
  // there is nothing to resume.
  bool begin(bool closing);
  // Resumes it for `caller`, where `awaiter` is. Whether it is under way when
  // this returns.
  bool resume_for(PromiseBase& caller, GeneratorAwaiter& awaiter);
  // Destroys its frame, and those of what it awaits.
  void destroy() noexcept;
  void unregister() noexcept;

 private:
  friend class GeneratorDomain;
  void report_destroyed() noexcept;

  State state_ = kCreated;
  bool closing_ = false;
  // While it is under way and suspended: who waits for it.
  GeneratorAwaiter* awaiter_ = nullptr;
  TaskCore* task_ = nullptr;
};

// One resumption of a generator, awaited.
class GeneratorAwaiter : public LibraryAwaiter, public Waiter {
 public:
  GeneratorAwaiter(GeneratorPromiseBase* promise, bool closing)
      : Waiter(kKind), promise_(promise), closing_(closing) {}

  bool await_ready() {
    if (promise_ == nullptr || !promise_->begin(closing_)) return true;
    entered_ = true;
    return false;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    return promise_->resume_for(caller.promise(), *this);
  }

 protected:
  // Whether it was resumed; throws where it is gone since.
  bool check_entered() {
    if (entered_ && promise_ == nullptr) [[unlikely]]
      throw_destroyed();
    return entered_;
  }
  GeneratorPromiseBase* promise_;  // null once it is destroyed

 private:
  friend class GeneratorPromiseBase;
  [[noreturn]] void throw_destroyed();

  // What its task waits in where the generator is destroyed meanwhile.
  static const WaiterKind kKind;
  bool closing_;
  bool entered_ = false;
};

class CloseAwaiter final : public GeneratorAwaiter {
 public:
  explicit CloseAwaiter(GeneratorPromiseBase* promise)
      : GeneratorAwaiter(promise, true) {}
  // A GeneratorExit that comes back is the normal end.
  void await_resume();
};

class [[nodiscard]] Close {
 public:
  explicit Close(GeneratorPromiseBase* promise) : promise_(promise) {}
  CloseAwaiter operator co_await() const { return CloseAwaiter(promise_); }

 private:
  GeneratorPromiseBase* promise_;
};

template <class T>
class GeneratorPromise final : public GeneratorPromiseBase {
 public:
  GeneratorPromise(SourceLocation where = ASYNCIO_INTERNAL_HERE)
      : GeneratorPromiseBase(where) {}

  AsyncGenerator<T> get_return_object() noexcept;

  class YieldAwaiter : public LibraryAwaiter {
   public:
    explicit YieldAwaiter(GeneratorPromise& promise) : promise_(promise) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {
      promise_.stop(kYielded);
    }
    void await_resume() const {
      if (promise_.closing()) [[unlikely]]
        throw GeneratorExit();
    }

   private:
    GeneratorPromise& promise_;
  };
  template <class U = T>
  requires std::is_constructible_v<T, U> YieldAwaiter yield_value(U&& value) {
    value_.emplace(std::forward<U>(value));
    return YieldAwaiter(*this);
  }
  std::optional<T> take() { return std::exchange(value_, std::nullopt); }

 private:
  std::optional<T> value_;
};

template <class T>
class NextAwaiter final : public GeneratorAwaiter {
 public:
  explicit NextAwaiter(GeneratorPromise<T>* promise)
      : GeneratorAwaiter(promise, false) {}
  std::optional<T> await_resume() {
    if (!check_entered()) return std::nullopt;
    if (promise_->outcome().failed()) [[unlikely]] {
      promise_->outcome().throw_taken();
    }
    // Ended, it may still have the value that it yielded to aclose().
    if (promise_->state() != GeneratorPromiseBase::kYielded) return std::nullopt;
    return static_cast<GeneratorPromise<T>*>(promise_)->take();
  }
};

template <class T>
class [[nodiscard]] Next {
 public:
  explicit Next(GeneratorPromise<T>* promise) : promise_(promise) {}
  NextAwaiter<T> operator co_await() const { return NextAwaiter<T>(promise_); }

 private:
  GeneratorPromise<T>* promise_;
};

}  // namespace internal

template <class T>
class [[nodiscard]] AsyncGenerator : private internal::FrameOwner {
  static_assert(std::is_object_v<T>, "a generator yields values");
  static_assert(
      alignof(T) <= 2 * sizeof(void*),
      "no compiler aligns an over-aligned value in a coroutine frame");

 public:
  using promise_type = internal::GeneratorPromise<T>;
  using value_type = T;

  AsyncGenerator() = default;
  AsyncGenerator(AsyncGenerator&& other) noexcept {
    frame = std::exchange(other.frame, nullptr);
    own();
  }
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    std::swap(frame, other.frame);
    own();
    other.own();
    return *this;
  }
  ~AsyncGenerator() {
    if (frame) promise()->destroy();
  }

  // The next value; empty at the end, and ever after. The generator must
  // outlive the await: it cannot be asked of a temporary.
  // Errors: RuntimeError while another task waits for one.
  internal::Next<T> next() & { return internal::Next<T>(promise()); }
  internal::Next<T> next() && = delete;

  // Ends it: see above. Does nothing where it has ended or never begun.
  // RuntimeError("async generator ignored GeneratorExit") where it yields
  // again.
  internal::Close aclose() & { return internal::Close(promise()); }
  internal::Close aclose() && = delete;

  // `with(generator, body)` closes it.
  Coroutine<> aenter() { co_return; }
  Coroutine<bool> aexit(std::exception_ptr) {
    co_await aclose();
    co_return false;
  }

 private:
  friend promise_type;
  explicit AsyncGenerator(std::coroutine_handle<promise_type> handle) {
    frame = handle;
    own();
  }
  promise_type* promise() const {
    if (!frame) return nullptr;
    return &std::coroutine_handle<promise_type>::from_address(frame.address())
                .promise();
  }
  // Where a task is destroyed inside of it, its frame goes with the task's.
  void own() {
    if (frame && !promise()->outcome().failed()) {
      promise()->outcome().set_owner(this);
    }
  }
};

template <class T>
AsyncGenerator<T> internal::GeneratorPromise<T>::get_return_object() noexcept {
  return AsyncGenerator<T>(
      std::coroutine_handle<GeneratorPromise>::from_promise(*this));
}

// Closes, all at once, the generators of the running loop that were begun and
// are not at their end; what they throw goes to the exception handler once all are.
Coroutine<> shutdown_asyncgens();

}  // namespace asyncio

#endif  // ASYNCIO_TASK_ASYNC_GENERATOR_H_
