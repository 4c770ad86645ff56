#include "asyncio/sync/capacity_limiter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/any_future.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/task_core.h"

namespace asyncio {

using internal::Borrower;
using internal::step_task;
using internal::WaitNode;

namespace {

void check_total(size_t total) {
  if (total < 1) throw ValueError("total_tokens must be >= 1");
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text.empty() ? "nobody" : text;
}

}  // namespace

const internal::WaiterKind CapacityLimiter::kKind =
    WaitNode::kind_named("CapacityLimiter.acquire");

std::string Borrower::name() const {
  if (task) return task.get_name() + (task.done() ? " (ended)" : "");
  char text[32];
  std::snprintf(text, sizeof text, "%p", id);
  return text;
}

CapacityLimiter::CapacityLimiter(size_t total_tokens) : total_(total_tokens) {
  check_total(total_tokens);
}

Borrower CapacityLimiter::current() {
  if (step_task() == nullptr) throw RuntimeError("no running task");
  return {AnyTask(internal::Ref<internal::ErasedFuture>(step_task())), nullptr};
}

bool CapacityLimiter::try_take(const Borrower& borrower) {
  if (borrowers_.contains(borrower)) {
    throw RuntimeError(
        "this borrower is already holding one of this CapacityLimiter's "
        "tokens");
  }
  if (borrowed_tokens() >= total_ || waiters_.next_waiting() != nullptr) {
    return false;
  }
  borrowers_.emplace(borrower, ++loans_);
  return true;
}

void CapacityLimiter::take_nowait(const Borrower& borrower) {
  if (!try_take(borrower)) {
    throw WouldBlock("all tokens of this CapacityLimiter are borrowed");
  }
}

void CapacityLimiter::give_back(const Borrower& borrower) {
  if (borrowers_.erase(borrower) == 0) {
    throw RuntimeError(
        "this borrower isn't holding any of this CapacityLimiter's tokens");
  }
  hand_on();
}

void CapacityLimiter::set_total_tokens(size_t n) {
  check_total(n);
  total_ = n;
  hand_on();
}

// `limiter` is not to be touched where leave() says that it is gone.
void CapacityLimiter::end_wait(CapacityLimiter& limiter, WaitNode& node,
                               const Borrower& borrower) {
  const bool alive = node.leave();
  if (alive && node.woken()) --limiter.handed_;
  if (step_task()->wait_cancelled()) [[unlikely]] {
    if (alive) limiter.hand_on();
    step_task()->check_cancelled();
  }
  if (!alive) internal::throw_destroyed(kKind);
  try {
    // An address can have come by a token while a task waited on its behalf.
    if (!limiter.borrowers_.emplace(borrower, ++limiter.loans_).second) {
      throw RuntimeError(
          "this borrower is already holding one of this CapacityLimiter's "
          "tokens");
    }
  } catch (...) {
    limiter.hand_on();
    throw;
  }
}

void CapacityLimiter::give_up(CapacityLimiter& limiter,
                              WaitNode& node) noexcept {
  if (!node.leave()) return;
  if (node.woken()) --limiter.handed_;
  limiter.hand_on();
}

CapacityLimiterStatistics CapacityLimiter::statistics() const {
  CapacityLimiterStatistics result;
  result.borrowed_tokens = borrowed_tokens();
  result.total_tokens = total_;
  std::vector<std::pair<uint64_t, const Borrower*>> loans;
  for (const auto& [borrower, number] : borrowers_) {
    loans.emplace_back(number, &borrower);
  }
  std::sort(loans.begin(), loans.end());
  for (const auto& loan : loans) {
    result.borrowers.push_back(loan.second->name());
  }
  waiters_.for_each_live([&](const WaitNode& node) {
    (node.woken() ? result.borrowers : result.waiters)
        .push_back(node.task()->name());
  });
  return result;
}

std::string CapacityLimiter::describe() const {
  const CapacityLimiterStatistics now = statistics();
  return "CapacityLimiter, " + std::to_string(now.borrowed_tokens) + " of " +
         std::to_string(now.total_tokens) +
         " tokens borrowed by: " + join(now.borrowers) +
         "; waiting: " + join(now.waiters);
}

BorrowedToken::BorrowedToken(CapacityLimiter& limiter, Borrower borrower)
    : limiter_(&limiter),
      borrower_(std::move(borrower)),
      tether_(limiter.anchor_) {}

BorrowedToken::~BorrowedToken() {
  try {
    release();
  } catch (const std::exception&) {
  }
}

void BorrowedToken::release() {
  if (!tether_.holds()) return;
  tether_.untie();
  limiter_->give_back(borrower_);
}

}  // namespace asyncio
