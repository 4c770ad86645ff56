#include "asyncio/sync/barrier.h"

#include <cstddef>
#include <exception>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/throw_again.h"
#include "asyncio/base/result.h"
#include "asyncio/sync/internal/tether.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {
namespace {

size_t checked(ptrdiff_t parties) {
  if (parties < 1) throw ValueError("parties must be > 0");
  return static_cast<size_t>(parties);
}

[[noreturn]] void throw_gone(const Result<bool>& waited) {
  if (waited.cancelled()) waited.rethrow();
  throw RuntimeError("the Barrier that the task waited in was destroyed");
}

}  // namespace

Barrier::Barrier(ptrdiff_t parties) : parties_(checked(parties)) {}

// After each await: whether the barrier is still there.
Coroutine<size_t> Barrier::wait() {
  internal::Tether tether(anchor_);
  co_await changed_.acquire();
  while (state_ == kDraining || state_ == kResetting) {
    Result<bool> waited = co_await as_result(changed_.wait());
    if (!tether.holds()) throw_gone(waited);
    if (!waited) {
      changed_.release();
      waited.rethrow();
    }
  }
  if (state_ == kBroken) {
    changed_.release();
    throw BrokenBarrierError("Barrier aborted");
  }
  const size_t index = count_++;
  std::exception_ptr error;
  if (count_ == parties_) {
    state_ = kDraining;
    changed_.notify_all();
  } else {
    while (state_ == kFilling && !error) {
      Result<bool> waited = co_await as_result(changed_.wait());
      if (!tether.holds()) throw_gone(waited);
      error = waited.exception();
    }
    if (!error && (state_ == kBroken || state_ == kResetting)) {
      error = std::make_exception_ptr(
          BrokenBarrierError("Abort or reset of barrier"));
    }
  }
  leave();
  changed_.release();
  if (error) internal::throw_again(error);
  co_return index;
}

// The last one out lets those in who came meanwhile.
void Barrier::leave() {
  if (--count_ > 0) return;
  if (state_ == kResetting || state_ == kDraining) state_ = kFilling;
  changed_.notify_all();
}

Coroutine<> Barrier::reset() {
  co_await changed_.acquire();
  state_ = count_ > 0 ? kResetting : kFilling;
  changed_.notify_all();
  changed_.release();
}

Coroutine<> Barrier::abort() {
  co_await changed_.acquire();
  state_ = kBroken;
  changed_.notify_all();
  changed_.release();
}

}  // namespace asyncio
