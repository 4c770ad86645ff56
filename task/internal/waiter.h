// Waiter: what a suspended task waits on. It lives in the awaiting frame.
//
// Each kind of waiter describes itself in one static WaiterKind, which is what
// cancellation calls and what introspection reads, from inside the process or
// from outside it; `version` says how to read it.
#ifndef ASYNCIO_TASK_INTERNAL_WAITER_H_
#define ASYNCIO_TASK_INTERNAL_WAITER_H_

#include <cstdint>
#include <string_view>

namespace asyncio::internal {

class ErasedFuture;
class TaskCore;
class Waiter;

struct WaiterKind {
  uint32_t version;  // 1: the fields below
  // What the task is doing, for people: "sleep", "Lock.acquire".
  const char* name;
  // Asks the wait to end with CancelledError; the task is made ready in time.
  // False where it has ended already. Null: TaskCore::cancel_wait().
  bool (*cancel)(Waiter& waiter, std::string_view message);
  // The future that is awaited, for waits on one; null otherwise.
  ErasedFuture* (*future)(const Waiter& waiter);
  // Whether something of the waiter is in the loop's ready queue, so that its frame
  // has to stay for now. Null: never.
  bool (*queued)(const Waiter& waiter) = nullptr;
};

class Waiter {
 public:
  explicit Waiter(const WaiterKind& kind) : kind_(&kind), task_(nullptr) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  const WaiterKind& kind() const { return *kind_; }
  // The waiting task; null before it waits.
  TaskCore* task() const { return task_; }

 protected:
  // Of no kind before set_kind(), and of no task before it waits.
  Waiter() {}  // NOLINT: not even null, which would be a store each
  // The one that `member` follows: a derived class's first, and only, base has its
  // first member right behind it.
  static Waiter& before(void* member) { return static_cast<Waiter*>(member)[-1]; }
  ~Waiter() = default;
  void set_kind(const WaiterKind& kind) { kind_ = &kind; }

 private:
  friend class TaskCore;
  const WaiterKind* kind_;
  TaskCore* task_;
};

// Marks the awaiters of this library, which know tasks; others are adapted.
class LibraryAwaiter {};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_WAITER_H_
