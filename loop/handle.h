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
#include <optional>
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

// A callable on its way through the loop, with the context to call it in.
class CallbackNode : public LoopTimer, public Pooled {
 public:
  explicit CallbackNode(EventLoop& loop, ContextSlot context)
      : loop_(&loop), context_(std::move(context)) {}
  virtual ~CallbackNode() = default;

  // The loop's turn: calls it unless it was cancelled, and gives up the queue's
  // share.
  void run() override;
  void drop() noexcept override;

  // Calls it, telling the loop's exception handler what it throws.
  // KeyboardInterrupt and SystemExit pass.
  void call_guarded();

  void cancel();
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  TimePoint when() const { return when_; }
  void set_when(TimePoint when) { when_ = when; }
  // "<Handle main::{lambda()#1}>"
  std::string describe() const override;
  // From now on other threads may hold it: the caller has a share, the queue it
  // goes to another. Requires that nobody else has one.
  void share() {
    shared_ = true;
    references_.store(2, std::memory_order_relaxed);
  }

  void retain() {
    if (shared_) {
      references_.fetch_add(1, std::memory_order_relaxed);
    } else {
      references_.store(references_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    }
  }
  void release() {
    // Whoever has the last share has nobody to agree with.
    const uint32_t n = references_.load(std::memory_order_acquire);
    if (n != 1) {
      if (!shared_) {
        references_.store(n - 1, std::memory_order_relaxed);
        return;
      }
      if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    }
    delete this;
  }

 protected:
  virtual void invoke() = 0;
  // Destroys the callable.
  virtual void clear() noexcept = 0;
  virtual const std::type_info& callable_type() const noexcept = 0;

 private:
  inline void call();
  void failed(std::exception_ptr exception);

  EventLoop* loop_;
  ContextSlot context_;
  TimePoint when_;
  std::atomic<uint32_t> references_{1};
  std::atomic<bool> cancelled_{false};
  bool shared_ = false;
  bool running_ = false;
};

template <class F, class... Args>
class BoundCallback final : public CallbackNode {
 public:
  template <class G, class... As>
  BoundCallback(EventLoop& loop, ContextSlot context, G&& fn, As&&... args)
      : CallbackNode(loop, std::move(context)),
        bound_(std::in_place, std::forward<G>(fn), std::forward<As>(args)...) {}

 private:
  void invoke() override {
    std::apply(
        [](F& fn, Args&... args) { static_cast<void>(std::invoke(fn, args...)); },
        *bound_);
  }
  void clear() noexcept override { bound_.reset(); }
  const std::type_info& callable_type() const noexcept override {
    return typeid(F);
  }

  std::optional<std::tuple<F, Args...>> bound_;
};

template <class F, class... Args>
Ref<CallbackNode> make_callback(EventLoop& loop, ContextSlot context, F&& fn,
                                Args&&... args) {
  static_assert(
      std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>,
      "the callable does not take these arguments");
  return Ref<CallbackNode>::adopt(
      new BoundCallback<std::decay_t<F>, std::decay_t<Args>...>(
          loop, std::move(context), std::forward<F>(fn),
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

 protected:
  internal::Ref<internal::CallbackNode> node_;
};

class TimerHandle : public Handle {
 public:
  TimerHandle() = default;

  // The deadline, on the loop's clock.
  TimePoint when() const { return node_->when(); }

  // For the library.
  explicit TimerHandle(internal::Ref<internal::CallbackNode> node)
      : Handle(std::move(node)) {}
};

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_HANDLE_H_
