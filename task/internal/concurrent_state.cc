#include "asyncio/task/internal/concurrent_state.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/task/internal/thread_domain.h"

namespace asyncio::internal {
namespace {

// What a condition variable can add to the present.
constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

}  // namespace

bool ConcurrentStateBase::done() const {
  std::lock_guard lock(mutex_);
  return state_ != kPending;
}

bool ConcurrentStateBase::cancelled() const {
  std::lock_guard lock(mutex_);
  return state_ == kCancelled;
}

std::exception_ptr ConcurrentStateBase::failure() const {
  std::lock_guard lock(mutex_);
  return exception_;
}

void ConcurrentStateBase::wait(std::optional<Duration> timeout) {
  std::unique_lock lock(mutex_);
  if (state_ != kPending) return;
  ThreadCall* const call = ThreadCall::current();
  const bool paused = call != nullptr && call->pause(loop_);
  if (paused) paused_.push_back(call);
  auto ended = [this] { return state_ != kPending; };
  if (!timeout || *timeout > kLongestWait) {
    ended_.wait(lock, ended);
  } else if (!ended_.wait_for(lock, timeout->to_chrono(), ended)) {
    if (paused) {
      std::erase(paused_, call);
      call->resume();
    }
    throw TimeoutError();
  }
}

bool ConcurrentStateBase::cancel() {
  std::unique_lock lock(mutex_);
  if (state_ != kPending) return state_ == kCancelled;
  exception_ = plain_cancelled_error();
  end(kCancelled, std::move(lock));
  return true;
}

void ConcurrentStateBase::fail(std::exception_ptr exception) {
  std::unique_lock lock(mutex_);
  if (state_ != kPending) return;
  exception_ = std::move(exception);
  end(kFailed, std::move(lock));
}

void ConcurrentStateBase::fail_cancelled(std::exception_ptr exception) {
  std::unique_lock lock(mutex_);
  if (state_ != kPending) return;
  exception_ = std::move(exception);
  end(kCancelled, std::move(lock));
}

void ConcurrentStateBase::end_with(absl::AnyInvocable<void()> store) {
  std::unique_lock lock(mutex_);
  if (state_ != kPending) return;
  State state = kFinished;
  try {
    store();
  } catch (...) {
    exception_ = std::current_exception();
    state = kFailed;
  }
  end(state, std::move(lock));
}

void ConcurrentStateBase::end(State state, std::unique_lock<std::mutex> lock) {
  state_ = state;
  for (ThreadCall* call : std::exchange(paused_, {})) call->resume();
  auto callbacks = std::exchange(callbacks_, {});
  ended_.notify_all();
  lock.unlock();
  for (auto& callback : callbacks) callback();
}

void ConcurrentStateBase::add_callback(absl::AnyInvocable<void()> fn) {
  {
    std::lock_guard lock(mutex_);
    if (state_ == kPending) {
      callbacks_.push_back(std::move(fn));
      return;
    }
  }
  fn();
}

}  // namespace asyncio::internal
