// AnyFuture and AnyTask: a future or a task without its result type, for lists
// of mixed ones and for reports.
//
//   for (const AnyTask& task : all_tasks()) {
//     if (task.get_name() == "poller") task.cancel("enough");
//   }
//
// Both are handles, as Future and Task are: null when default-constructed,
// copied by counting, equal when they name the same future. An AnyFuture is
// awaited as a future without a value.
#ifndef ASYNCIO_BASE_ANY_FUTURE_H_
#define ASYNCIO_BASE_ANY_FUTURE_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "asyncio/base/context.h"
#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"

namespace asyncio {

class AnyFuture;
class EventLoop;
template <class T = void>
class Future;
template <class T = void>
class Task;

// Names a done callback, to remove it.
class CallbackId {
 public:
  CallbackId() = default;
  explicit CallbackId(uint64_t number) : number_(number) {}
  uint64_t number() const { return number_; }
  friend bool operator==(CallbackId, CallbackId) = default;

 private:
  uint64_t number_ = 0;
};

struct CallbackOptions {
  const Context* context = nullptr;  // what to run in; null: a copy of today's
};

// One line of a stack: where a suspended coroutine waits.
struct FrameSummary {
  FrameSummary() = default;
  std::string function;
  std::string file;
  uint32_t line = 0;
};

namespace internal {

// What a report needs of a future or a task: its state and its name. The work is
// done by the classes of //task; the loop knows no more than this.
class ErasedFuture : public ReadyNode {
 public:
  enum State : uint8_t { kPending, kFinished, kFailed, kCancelled };

  bool done() const { return state_ != kPending; }
  bool cancelled() const { return state_ == kCancelled; }
  bool is_task() const { return is_task_; }

  virtual bool cancel(std::string_view message) = 0;
  // As Future::exception(): null when it ended well; may throw.
  virtual std::exception_ptr exception() = 0;
  virtual CallbackId add_callback(absl::AnyInvocable<void(ErasedFuture&)> fn,
                                  const Context* context) = 0;
  virtual size_t remove_callback(CallbackId id) = 0;
  virtual EventLoop* loop() const = 0;
  // "<Task pending name='Task-1' coro=<main()>>"
  virtual std::string describe() const = 0;

  // Of tasks alone.
  virtual std::string name() const { return ""; }
  virtual void set_name(std::string) {}
  virtual int cancelling() const { return 0; }
  virtual int uncancel() { return 0; }
  virtual std::vector<FrameSummary> stack() const { return {}; }

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) dispose();
  }
  // Whether somebody besides the caller holds it.
  bool shared() const { return references_ > 1; }

 protected:
  explicit ErasedFuture(bool is_task)
      : is_task_(is_task),
        unretrieved_(false),
        must_cancel_(false),
        report_pending_(true),
        passes_cancel_on_(false),
        no_flag_(0) {}
  virtual ~ErasedFuture() = default;
  // Ends the object's life, after a last report where one is due.
  virtual void dispose() = 0;

  uint32_t references_ = 1;
  State state_ = kPending;
  const bool is_task_ : 1;
  // An exception that nobody has looked at: to be reported.
  bool unretrieved_ : 1;
  // Of tasks alone, see TaskCore; they would be padding.
  bool must_cancel_ : 1;
  bool report_pending_ : 1;
  bool passes_cancel_on_ : 1;
  uint8_t no_flag_ : 3;  // so that the byte is written as a whole
  uint8_t wait_ = 0;
  uint8_t few_cancels_ = 0;
};

}  // namespace internal

class AnyFuture {
 public:
  AnyFuture() = default;
  template <class T>
  AnyFuture(const Future<T>& future)  // NOLINT: implicit
      : AnyFuture(internal::Ref<internal::ErasedFuture>(future.erased())) {}

  bool done() const { return state_->done(); }
  bool cancelled() const { return state_->cancelled(); }
  bool cancel(std::string_view message = {}) const {
    return state_->cancel(message);
  }
  // InvalidStateError while it is pending, CancelledError where it was
  // cancelled, null where it ended well.
  std::exception_ptr exception() const { return state_->exception(); }
  // `fn` is given this AnyFuture, or nothing.
  template <class F>
  CallbackId add_done_callback(F fn, CallbackOptions options = {}) const;
  // How many were removed: 0 or 1.
  size_t remove_done_callback(CallbackId id) const {
    return state_->remove_callback(id);
  }
  EventLoop& get_loop() const { return *state_->loop(); }

  explicit operator bool() const { return static_cast<bool>(state_); }
  friend bool operator==(const AnyFuture& a, const AnyFuture& b) {
    return a.state_ == b.state_;
  }
  template <class H>
  friend H AbslHashValue(H h, const AnyFuture& f) {
    return H::combine(std::move(h), f.state_.get());
  }
  friend std::string to_string(const AnyFuture& f) {
    return f ? f.state_->describe() : "<Future null>";
  }
  friend std::ostream& operator<<(std::ostream& out, const AnyFuture& f) {
    return out << to_string(f);
  }

  // For the library.
  explicit AnyFuture(internal::Ref<internal::ErasedFuture> state)
      : state_(std::move(state)) {}
  internal::ErasedFuture* erased() const { return state_.get(); }

 protected:
  internal::Ref<internal::ErasedFuture> state_;
};

class AnyTask : public AnyFuture {
 public:
  AnyTask() = default;
  template <class T>
  AnyTask(const Task<T>& task)  // NOLINT: implicit
      : AnyFuture(internal::Ref<internal::ErasedFuture>(task.erased())) {}

  std::string get_name() const { return state_->name(); }
  void set_name(std::string name) const { state_->set_name(std::move(name)); }
  // How many requests to cancel it are not taken back yet.
  int cancelling() const { return state_->cancelling(); }
  // Takes one request back; returns how many are left.
  int uncancel() const { return state_->uncancel(); }
  // Where it is suspended, outermost frame first.
  std::vector<FrameSummary> get_stack() const { return state_->stack(); }

  // For the library.
  explicit AnyTask(internal::Ref<internal::ErasedFuture> state)
      : AnyFuture(std::move(state)) {}
};

template <class F>
CallbackId AnyFuture::add_done_callback(F fn, CallbackOptions options) const {
  return state_->add_callback(
      [fn = std::move(fn)](internal::ErasedFuture& state) mutable {
        if constexpr (std::is_invocable_v<F&, AnyFuture>) {
          fn(AnyFuture(internal::Ref<internal::ErasedFuture>(&state)));
        } else {
          fn();
        }
      },
      options.context);
}

}  // namespace asyncio

template <>
struct std::hash<asyncio::AnyFuture> {
  size_t operator()(const asyncio::AnyFuture& f) const noexcept {
    return std::hash<const void*>()(f.erased());
  }
};
template <>
struct std::hash<asyncio::AnyTask> {
  size_t operator()(const asyncio::AnyTask& f) const noexcept {
    return std::hash<const void*>()(f.erased());
  }
};

#endif  // ASYNCIO_BASE_ANY_FUTURE_H_
