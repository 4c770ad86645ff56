// Handle and TimerHandle: what call_soon(), call_later() and their like return,
// to take the call back.
//
//   TimerHandle reminder = loop.call_later(60s, remind);
//   reminder.cancel();                   // never runs; twice does no harm
//
// Lifetime: dropping a handle changes nothing, keeping it does not keep the
// callable: that is destroyed, in the loop's thread, after it ran, when it is
// cancelled, or when the loop is closed.
// Threads: as the loop's, but a handle of call_soon_threadsafe() may be cancelled
// from any thread; it then still runs if its turn has come already, and else its
// callable is destroyed in its turn.
#ifndef ASYNCIO_LOOP_HANDLE_H_
#define ASYNCIO_LOOP_HANDLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/internal/loop_timer.h"

namespace asyncio {

class EventLoop;

namespace internal {

// How many hold a callback when it is made, and whether other threads may.
struct CallbackShares {
  uint32_t count;
  bool between_threads;
};
inline constexpr CallbackShares kHeld{1, false};
// One for the handle, one for the queue or the wheel it goes to.
inline constexpr CallbackShares kScheduled{2, false};
inline constexpr CallbackShares kPosted{2, true};

// Whether an F can be called with these again and again: they stay what they are.
template <class F, class... Args>
inline constexpr bool kRepeatable = std::is_invocable_v<F&, Args&...>;

// A callable on its way through the loop, with the context to call it in.
class CallbackNode : public LoopTimer, public Pooled {
 public:
  CallbackNode(EventLoop& loop, CallbackShares shares, ContextSlot&& context)
      : loop_(&loop),
        context_(std::move(context)),
        references_(shares.count),
        shared_(shares.between_threads) {}
  virtual ~CallbackNode() = default;

  void drop() noexcept override;

  // Calls it, telling the loop's exception handler what it throws.
  // KeyboardInterrupt and SystemExit pass.
  void call_guarded();

  // What it is called in.
  ContextSlot& context() { return context_; }

  void cancel();
  bool cancelled() const {
    return std::atomic_ref(cancelled_).load(std::memory_order_relaxed);
  }
  // "<Handle main::{lambda()#1}>"
  std::string describe() const override;
  void retain() {
    if (shared_) {
      references_.fetch_add(1, std::memory_order_relaxed);
    } else {
      references_.store(references_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    }
  }
  void release() {
    if (shared_) {
      if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    } else if (const uint32_t n = references_.load(std::memory_order_relaxed);
               n != 1) {
      references_.store(n - 1, std::memory_order_relaxed);
      return;
    }
    delete this;
  }

 protected:
  virtual void invoke() = 0;
  // Destroys the callable.
  virtual void clear() noexcept = 0;
  virtual const std::type_info& callable_type() const noexcept = 0;

  // Whether nobody but the loop, whose turn it is, can cancel it or see what
  // becomes of it, and it was not cancelled before.
  bool is_the_loops_alone() const {
    return references_.load(std::memory_order_acquire) == 1 && !cancelled_;
  }
  // The loop's turn otherwise: calls it unless it was cancelled, and gives up the
  // queue's share.
  void run_held();
  // In a handler: tells the loop what the call threw, and gives up the queue's
  // share. KeyboardInterrupt and SystemExit pass.
  void end_in_error();
  // In the place of `delete` where the callable is gone already: being in no list,
  // all that a node still has is its context.
  void free(size_t size) noexcept {
    if (context_.peek() != nullptr) [[unlikely]] drop_context();
    FramePool::deallocate(this, size);
  }

 private:
  inline void call();
  void drop_context() noexcept;
  void failed(std::exception_ptr exception);
  inline void end();

  EventLoop* loop_;
  ContextSlot context_;
  std::atomic<uint32_t> references_;
  // By other threads, too, where it is shared.
  alignas(std::atomic_ref<bool>::required_alignment) mutable bool cancelled_ =
      false;
  const bool shared_;
  bool running_ = false;

 protected:
  bool has_callable_ = true;  // the derived class's
};

template <class F, class... Args>
class BoundCallback final : public CallbackNode {
 public:
  template <class G, class... As>
  BoundCallback(EventLoop& loop, CallbackShares shares, ContextSlot&& context,
                G&& fn, As&&... args)
      : CallbackNode(loop, shares, std::move(context)),
        bound_(std::forward<G>(fn), std::forward<As>(args)...) {}
  ~BoundCallback() { clear(); }

  // Most have no handle left when their turn comes: call and end in one piece.
  void run() override {
    if (!is_the_loops_alone()) [[unlikely]] {
      run_held();
      return;
    }
    try {
      ContextScope scope(context());
      invoke();
    } catch (...) {
      end_in_error();
      return;
    }
    std::destroy_at(&bound_);
    free(sizeof(BoundCallback));
  }

 private:
  void invoke() override {
    std::apply(
        [](F& fn, Args&... args) {
          if constexpr (kRepeatable<F, Args...>) {
            static_cast<void>(std::invoke(fn, args...));
          } else {
            static_cast<void>(std::invoke(std::move(fn), std::move(args)...));
          }
        },
        bound_);
  }
  void clear() noexcept override {
    if (std::exchange(has_callable_, false)) std::destroy_at(&bound_);
  }
  const std::type_info& callable_type() const noexcept override {
    return typeid(F);
  }

  union {
    std::tuple<F, Args...> bound_;  // while has_callable_
  };
};

// Where it is not repeatable it is for one call: that moves what is bound.
template <class F, class... Args>
Ref<CallbackNode> make_callback(EventLoop& loop, CallbackShares shares,
                                ContextSlot&& context, F&& fn, Args&&... args) {
  static_assert(
      kRepeatable<std::decay_t<F>, std::decay_t<Args>...> ||
          std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
      "the callable does not take these arguments");
  return Ref<CallbackNode>::adopt(
      new BoundCallback<std::decay_t<F>, std::decay_t<Args>...>(
          loop, shares, std::move(context), std::forward<F>(fn),
          std::forward<Args>(args)...));
}

}  // namespace internal

class Handle {
 public:
  Handle() = default;

  // Keeps it from running, from this moment on. Destroys the callable.
  void cancel() const { node_->cancel(); }
  bool cancelled() const { return node_->cancelled(); }

  explicit operator bool() const { return static_cast<bool>(node_); }
  friend bool operator==(const Handle&, const Handle&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Handle& handle) {
    return H::combine(std::move(h), handle.node_.get());
  }

  friend std::string to_string(const Handle& handle) {
    return handle ? handle.node_->describe() : "<Handle null>";
  }

  // For the library.
  explicit Handle(internal::Ref<internal::CallbackNode> node)
      : node_(std::move(node)) {}
  internal::CallbackNode* node() const { return node_.get(); }

 protected:
  internal::Ref<internal::CallbackNode> node_;
};

class TimerHandle : public Handle {
 public:
  TimerHandle() = default;

  // The deadline, on the loop's clock.
  TimePoint when() const { return node_->deadline(); }

  // For the library.
  explicit TimerHandle(internal::Ref<internal::CallbackNode> node)
      : Handle(std::move(node)) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_HANDLE_H_
