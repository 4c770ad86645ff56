// Event: a flag that tasks can wait for.
//
//   Event ready;
//   co_await ready.wait();      // in any number of tasks
//   ready.set();                // in another: wakes them all
//
// Order: set() wakes those who wait in the order in which they came; each runs
// in its turn, also where clear() follows at once. wait() of an event that is
// set takes no turn of the loop.
// Cancellation: at once; nobody else is concerned.
// Lifetime: may be destroyed once it was set: who was woken still runs. Others
// are let go of, and can still be cancelled.
// Threads: one loop's, the first that waits in it; RuntimeError in another.
// Cost: no allocation.
#ifndef ASYNCIO_SYNC_EVENT_H_
#define ASYNCIO_SYNC_EVENT_H_

#include <coroutine>

#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class Event;

namespace internal {

class EventAwaiter final : public LibraryAwaiter {
 public:
  explicit EventAwaiter(Event& event) : event_(event) {}
  EventAwaiter(const EventAwaiter&) = delete;
  EventAwaiter& operator=(const EventAwaiter&) = delete;

  inline bool await_ready();
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    suspend(caller.promise());
  }
  bool await_resume() {
    if (node_.leave_released()) [[likely]] {
      step_task()->check_cancelled();
    } else if (node_.waits()) [[unlikely]] {
      node_.leave();
      step_task()->check_cancelled();
    }
    return true;
  }

 private:
  inline void suspend(PromiseBase& promise);

  static const WaiterKind kKind;
  Event& event_;
  WaitNode node_;
};

class [[nodiscard]] EventRequest {
 public:
  explicit EventRequest(Event& event) : event_(&event) {}
  EventAwaiter operator co_await() const { return EventAwaiter(*event_); }

 private:
  Event* event_;
};

}  // namespace internal

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set() {
    if (set_) return;
    set_ = true;
    waiters_.release_all();
  }
  void clear() { set_ = false; }
  bool is_set() const { return set_; }

  // -> true, when it is set or was in the meantime.
  internal::EventRequest wait() { return internal::EventRequest(*this); }

 private:
  friend class internal::EventAwaiter;

  bool set_ = false;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
};

inline bool internal::EventAwaiter::await_ready() {
  if (event_.set_) return true;
  event_.binding_.check("Event");
  return false;
}

inline void internal::EventAwaiter::suspend(PromiseBase& promise) {
  event_.waiters_.park(node_, kKind, promise);
}

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_EVENT_H_
