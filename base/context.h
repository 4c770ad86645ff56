// ContextVar and Context: values that follow a task, as Python's contextvars.
//
//   const ContextVar<int> request_id("request_id", 0);
//
//   Coroutine<> handle(int id) {
//     request_id.set(id);               // seen by what this task awaits and
//     co_await work();                  // by the tasks that it creates
//   }
//
// A task copies the context of its creator when it is created, and a callback
// that of whoever registers it; a coroutine awaited directly shares its
// caller's. Outside of any task each thread has a context of its own.
//
// Threads: a ContextVar may be used from any thread. A Context is entered by one
// at a time.
// Cost: get() and set() are linear in how many variables are set; copying a
// context is O(1), and free where no variable is set.
#ifndef ASYNCIO_BASE_CONTEXT_H_
#define ASYNCIO_BASE_CONTEXT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/step.h"

namespace asyncio {

class Context;
template <class T>
class ContextVar;

namespace internal {

// The identity of a variable; its address may be gone, the number is not used
// twice.
struct ContextVarInfo {
  uint64_t id;
  std::string name;
};

// The variables of one context. What is shared is immutable: set() replaces the
// table.
class ContextState {
 public:
  struct Entry {
    uint64_t id;
    std::shared_ptr<const void> value;
  };
  using Table = std::vector<Entry>;

  ContextState() = default;
  explicit ContextState(std::shared_ptr<const Table> table)
      : table_(std::move(table)) {}

  const std::shared_ptr<const Table>& table() const { return table_; }
  std::shared_ptr<const void> find(uint64_t id) const;
  // A null value takes the variable out.
  void assign(uint64_t id, std::shared_ptr<const void> value);

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Set while Context::run() is in it, or in another inside of it.
  bool entered = false;

 private:
  std::atomic<uint32_t> references_{0};
  std::shared_ptr<const Table> table_;
};

// Where a task or a callback keeps its context. Null stands for an empty context
// that nobody has looked at.
class ContextSlot {
 public:
  ContextSlot() = default;
  explicit ContextSlot(Ref<ContextState> state) : state_(std::move(state)) {}
  ContextSlot(ContextSlot&&) = default;
  ContextSlot& operator=(ContextSlot&&) = default;

  // A copy of the running context.
  static ContextSlot copy_current() {
    const ContextSlot* slot = running();
    return ContextSlot(Ref<ContextState>::adopt(
        slot == nullptr || slot->empty() ? nullptr : copy_of(*slot->state_)));
  }

  // The context itself, made where there was none.
  Ref<ContextState> materialize() {
    if (!state_) state_ = Ref<ContextState>(new ContextState);
    return state_;
  }
  const ContextState* peek() const { return state_.get(); }
  bool empty() const { return !state_ || state_->table() == nullptr; }

  // The slot of what this thread is running: what a ContextScope has entered; else
  // that of the task whose step it is; else the thread's own.
  static ContextSlot& current() {
    ContextSlot* slot = running();
    return slot != nullptr ? *slot : make_thread_slot();
  }
  static bool current_is_entered() { return entered_ != nullptr; }

 private:
  friend class ContextRun;
  friend class ContextScope;
  // With the count that the caller takes over.
  static ContextState* copy_of(const ContextState& state);
  // Null where that would be the thread's own and nobody has looked at it yet.
  static ContextSlot* running() {
    if (entered_ != nullptr) return entered_;
    if (step.task == nullptr) [[likely]] return thread_slot_;
    return step.task->task_context();
  }
  static ContextSlot& make_thread_slot();

  static inline constinit thread_local ContextSlot* entered_ = nullptr;
  static inline constinit thread_local ContextSlot* thread_slot_ = nullptr;
  Ref<ContextState> state_;
};

// Makes `slot` the running context for a scope.
class ContextScope {
 public:
  explicit ContextScope(ContextSlot& slot)
      : before_(std::exchange(ContextSlot::entered_, &slot)) {}
  // Leaves for a scope what was entered around it: what runs in there has a
  // context of its own.
  explicit ContextScope(std::nullptr_t)
      : before_(std::exchange(ContextSlot::entered_, nullptr)) {}
  ~ContextScope() { ContextSlot::entered_ = before_; }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  ContextSlot* before_;
};

// The scope of a Context::run(): `state` is being run, and so is the context that it
// hides.
class ContextRun {
 public:
  // RuntimeError where `state` is being run already.
  explicit ContextRun(const Ref<ContextState>& state);
  ~ContextRun();

 private:
  const Ref<ContextState> hidden_;
  bool hidden_was_entered_ = false;
  ContextSlot slot_;
  ContextScope scope_;
};

}  // namespace internal

// What ContextVar::set() gives, to go back to the value before.
class Token {
 public:
  Token(Token&&) = default;
  Token& operator=(Token&&) = default;

 private:
  template <class T>
  friend class ContextVar;
  Token(uint64_t id, internal::Ref<internal::ContextState> context,
        std::shared_ptr<const void> old_value)
      : id_(id),
        context_(std::move(context)),
        old_value_(std::move(old_value)) {}

  // Puts the old value back. RuntimeError when used before, ValueError when it
  // is another variable's or another context's.
  void reset(const internal::ContextVarInfo& var);

  uint64_t id_;
  internal::Ref<internal::ContextState> context_;
  std::shared_ptr<const void> old_value_;
  bool used_ = false;
};

namespace internal {
std::shared_ptr<const ContextVarInfo> make_context_var(std::string_view name);
[[noreturn]] void throw_unset(const ContextVarInfo& var);
}  // namespace internal

// A variable whose value depends on the running context. A copy is the same
// variable.
template <class T>
class ContextVar {
 public:
  explicit ContextVar(std::string_view name,
                      std::optional<T> default_value = std::nullopt)
      : info_(internal::make_context_var(name)),
        default_(std::move(default_value)) {}

  const std::string& name() const { return info_->name; }

  // The value in the running context, else the default, else LookupError.
  T get() const {
    if (auto value = find(internal::ContextSlot::current().peek())) {
      return *value;
    }
    if (default_) return *default_;
    internal::throw_unset(*info_);
  }
  // The value in the running context, else `fallback`.
  T get(T fallback) const {
    auto value = find(internal::ContextSlot::current().peek());
    return value ? *value : std::move(fallback);
  }

  Token set(T value) const {
    auto context = internal::ContextSlot::current().materialize();
    Token token(info_->id, context, context->find(info_->id));
    context->assign(info_->id, std::make_shared<const T>(std::move(value)));
    return token;
  }
  void reset(Token& token) const { token.reset(*info_); }

 private:
  friend class Context;
  std::shared_ptr<const T> find(const internal::ContextState* state) const {
    if (state == nullptr || state->table() == nullptr) return nullptr;
    return std::static_pointer_cast<const T>(state->find(info_->id));
  }

  std::shared_ptr<const internal::ContextVarInfo> info_;
  std::optional<T> default_;
};

// A set of values, to run something in: a handle, equal to its copies and to
// nothing else.
class Context {
 public:
  // An empty one.
  Context() : state_(new internal::ContextState) {}

  // Calls `fn` in this context; what it sets stays here. RuntimeError while
  // something runs in it already.
  template <class F, class... Args>
  decltype(auto) run(F&& fn, Args&&... args) const {
    internal::ContextRun run(state_);
    return std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
  }

  // The variable's value in this context. LookupError where it is not set here,
  // whatever its default.
  template <class T>
  T get(const ContextVar<T>& var) const {
    auto value = var.find(state_.get());
    if (!value) internal::throw_unset(*var.info_);
    return *value;
  }
  template <class T>
  bool contains(const ContextVar<T>& var) const {
    return var.find(state_.get()) != nullptr;
  }

  // A new context with the same values.
  Context copy() const {
    return Context(internal::Ref<internal::ContextState>(
        new internal::ContextState(state_->table())));
  }

  friend bool operator==(const Context&, const Context&) = default;

  // For the library: what a slot is made of.
  explicit Context(internal::Ref<internal::ContextState> state)
      : state_(std::move(state)) {}
  const internal::Ref<internal::ContextState>& state() const { return state_; }

 private:
  internal::Ref<internal::ContextState> state_;
};

// A copy of the running context.
Context copy_context();

}  // namespace asyncio

#endif  // ASYNCIO_BASE_CONTEXT_H_
