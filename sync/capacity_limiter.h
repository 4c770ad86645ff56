// CapacityLimiter: lends up to a number of tokens, and knows who has them.
//
//   CapacityLimiter connections(10);
//   co_await with(connections, [&] { return fetch(url); });
//
//   auto token = co_await connections.scoped_acquire();   // until the scope's end
//   connections.set_total_tokens(20);                     // wakes who can go now
//   std::cerr << connections.describe();                  // who holds, who waits
//
// anyio's. A borrower has one token at most: to wait for a second would be to wait
// for oneself. It is the current task, or what an address stands for
// (..._on_behalf_of(&request); null: the current task), which any task may give
// back.
//
// Order: first come, first served. A token that is given back is handed to the
// foremost waiter, whose turn comes with the loop's; nobody overtakes who waits.
// Cancellation: a waiter that was handed a token and is cancelled before it runs
// gives it to the next.
// Lifetime: as of Lock. A task that ends with a token keeps it; the limiter keeps
// the task's identity, so a later task is never taken for it, and describe() tells.
// An address is told apart by its value alone: it is to stay valid meanwhile.
// Threads: as of Lock.
// Cost: waiting allocates nothing. Who holds is a hash table, which allocates when
// it grows; O(1) each. statistics() and describe() are for reports: they look at
// everybody.
#ifndef ASYNCIO_SYNC_CAPACITY_LIMITER_H_
#define ASYNCIO_SYNC_CAPACITY_LIMITER_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/acquire.h"
#include "asyncio/sync/internal/loop_binding.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio {

class CapacityLimiter;

// Of acquire_nowait(): there is no token that nobody holds.
class WouldBlock : public internal::MessageError {
 public:
  using MessageError::MessageError;
};

struct CapacityLimiterStatistics {
  size_t borrowed_tokens = 0;
  size_t total_tokens = 0;
  // By name, in the order in which they came; an address as "0x...". Who was
  // handed a token and has not run yet is a borrower.
  std::vector<std::string> borrowers;
  std::vector<std::string> waiters;
};

namespace internal {

// A task, kept by counting, or an address.
struct Borrower {
  AnyTask task;
  const void* id = nullptr;

  std::string name() const;
  friend bool operator==(const Borrower& a, const Borrower& b) {
    return a.task == b.task && a.id == b.id;
  }
  template <class H>
  friend H AbslHashValue(H h, const Borrower& b) {
    return H::combine(std::move(h), b.task, b.id);
  }
};

template <class R>
class BorrowAwaiter;
template <class R>
class BorrowRequest;

}  // namespace internal

// What scoped_acquire() gives: returns its token when it is destroyed, or earlier,
// in whichever task; nothing where the limiter is gone.
class [[nodiscard]] BorrowedToken {
 public:
  BorrowedToken(BorrowedToken&& other) noexcept = default;
  BorrowedToken& operator=(BorrowedToken&&) = delete;
  ~BorrowedToken();

  // Gives it back now; nothing where it has been.
  void release();
  explicit operator bool() const { return tether_.holds(); }

 private:
  template <class R>
  friend class internal::BorrowAwaiter;
  BorrowedToken(CapacityLimiter& limiter, internal::Borrower borrower);

  CapacityLimiter* limiter_;
  internal::Borrower borrower_;
  internal::Tether tether_;
};

class CapacityLimiter {
 public:
  // ValueError where total_tokens < 1.
  explicit CapacityLimiter(size_t total_tokens);
  CapacityLimiter(const CapacityLimiter&) = delete;
  CapacityLimiter& operator=(const CapacityLimiter&) = delete;

  // RuntimeError("this borrower is already holding one of this
  // CapacityLimiter's tokens"), of all of these.
  internal::BorrowRequest<void> acquire();
  internal::BorrowRequest<void> acquire_on_behalf_of(const void* borrower);
  // -> BorrowedToken.
  internal::BorrowRequest<BorrowedToken> scoped_acquire();
  // WouldBlock where acquire() would wait.
  void acquire_nowait() { take_nowait(current()); }
  void acquire_on_behalf_of_nowait(const void* borrower) {
    take_nowait(borrower_of(borrower));
  }

  // RuntimeError("this borrower isn't holding any of this CapacityLimiter's
  // tokens").
  void release() { give_back(current()); }
  void release_on_behalf_of(const void* borrower) {
    give_back(borrower_of(borrower));
  }

  size_t total_tokens() const { return total_; }
  // ValueError where n < 1. Tokens that are lent stay lent: there may be more of
  // them than `n` for a while.
  void set_total_tokens(size_t n);
  // Those that were handed to somebody who has not run yet among them.
  size_t borrowed_tokens() const { return borrowers_.size() + handed_; }
  // Negative while more are lent than there are.
  ptrdiff_t available_tokens() const {
    return static_cast<ptrdiff_t>(total_) -
           static_cast<ptrdiff_t>(borrowed_tokens());
  }
  CapacityLimiterStatistics statistics() const;
  // "CapacityLimiter, 2 of 2 tokens borrowed by: Task-2, Task-3 (ended); waiting:
  // Task-4"
  std::string describe() const;

  // For with().
  internal::BorrowRequest<void> aenter();
  internal::ReleaseRequest<CapacityLimiter> aexit(std::exception_ptr) {
    return internal::ReleaseRequest<CapacityLimiter>(*this);
  }

 private:
  template <class R>
  friend class internal::BorrowAwaiter;
  friend class BorrowedToken;

  // RuntimeError where no task runs.
  static internal::Borrower current();
  static internal::Borrower borrower_of(const void* id) {
    return id == nullptr ? current() : internal::Borrower{AnyTask(), id};
  }
  // False where there is none to be had.
  bool try_take(const internal::Borrower& borrower);
  void take_nowait(const internal::Borrower& borrower);
  void give_back(const internal::Borrower& borrower);
  // To as many who wait as there are tokens for.
  void hand_on() {
    while (borrowed_tokens() < total_ && waiters_.wake_next()) ++handed_;
  }
  // In the resumed task: has it, or throws.
  static void end_wait(CapacityLimiter& limiter, internal::WaitNode& node,
                       const internal::Borrower& borrower);
  // The frame is destroyed in the wait.
  static void give_up(CapacityLimiter& limiter,
                      internal::WaitNode& node) noexcept;

  static const internal::WaiterKind kKind;
  size_t total_;
  size_t handed_ = 0;  // of waiters that have not run since
  // With the number of the loan, which counts up.
  absl::flat_hash_map<internal::Borrower, uint64_t> borrowers_;
  uint64_t loans_ = 0;
  internal::WaitQueue waiters_;
  internal::LoopBinding binding_;
  internal::Anchor anchor_;
};

namespace internal {

template <class R>
class BorrowAwaiter final : public LibraryAwaiter {
 public:
  BorrowAwaiter(CapacityLimiter& limiter, const void* id)
      : limiter_(limiter), borrower_{AnyTask(), id} {}
  BorrowAwaiter(const BorrowAwaiter&) = delete;
  BorrowAwaiter& operator=(const BorrowAwaiter&) = delete;
  ~BorrowAwaiter() {
    if (node_.waits()) [[unlikely]] CapacityLimiter::give_up(limiter_, node_);
  }

  bool await_ready() {
    if (borrower_.id == nullptr) borrower_ = CapacityLimiter::current();
    if (limiter_.try_take(borrower_)) return true;
    limiter_.binding_.check("CapacityLimiter");
    return false;
  }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    limiter_.waiters_.park(node_, CapacityLimiter::kKind, caller.promise());
  }
  R await_resume() {
    if (node_.waits()) CapacityLimiter::end_wait(limiter_, node_, borrower_);
    if constexpr (!std::is_void_v<R>) return R(limiter_, std::move(borrower_));
  }

 private:
  CapacityLimiter& limiter_;
  Borrower borrower_;
  WaitNode node_;
};

template <class R>
class [[nodiscard]] BorrowRequest {
 public:
  // A null `id`: the task that awaits it.
  BorrowRequest(CapacityLimiter& limiter, const void* id)
      : limiter_(&limiter), id_(id) {}
  BorrowAwaiter<R> operator co_await() const {
    return BorrowAwaiter<R>(*limiter_, id_);
  }

 private:
  CapacityLimiter* limiter_;
  const void* id_;
};

}  // namespace internal

inline internal::BorrowRequest<void> CapacityLimiter::acquire() {
  return {*this, nullptr};
}
inline internal::BorrowRequest<void> CapacityLimiter::acquire_on_behalf_of(
    const void* borrower) {
  return {*this, borrower};
}
inline internal::BorrowRequest<BorrowedToken>
CapacityLimiter::scoped_acquire() {
  return {*this, nullptr};
}
inline internal::BorrowRequest<void> CapacityLimiter::aenter() {
  return {*this, nullptr};
}

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_CAPACITY_LIMITER_H_
