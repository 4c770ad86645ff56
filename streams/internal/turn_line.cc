#include "asyncio/streams/internal/turn_line.h"

#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

const WaiterKind Turn::kKind = {1, "descriptor", nullptr, nullptr};

void Turn::wait(TurnLine& line, PromiseBase& caller) {
  if (line_ == nullptr) line.append(*this);
  step_task()->park(caller, *this);
}

void Turn::leave() noexcept {
  TurnLine& line = *line_;
  line.unlink(*this);
  if (line.empty()) line.emptied();
}

void TurnLine::append(Turn& turn) {
  turn.line_ = this;
  turn.prev_ = last_;
  turn.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &turn;
  last_ = &turn;
}

void TurnLine::unlink(Turn& turn) noexcept {
  (turn.prev_ == nullptr ? first_ : turn.prev_->next_) = turn.next_;
  (turn.next_ == nullptr ? last_ : turn.next_->prev_) = turn.prev_;
  turn.line_ = nullptr;
}

void TurnLine::wake_all() {
  for (Turn* turn = first_; turn != nullptr; turn = turn->next_) {
    turn->task()->wake();
  }
}

}  // namespace asyncio::internal
